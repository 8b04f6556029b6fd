"""Mode and confidence from the words of a request, size of a request from its words."""

from __future__ import annotations

from typing import Any

import pytest

from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.selection.context import context_of
from tool_catalog_pipelines.selection.preference import WORDS, preference_of


@pytest.mark.parametrize(
    ("query", "mode", "confidence"),
    [
        ("", "balanced", 0.5),
        ("count the disks", "balanced", 0.5),
        ("a quick look", "fast", 0.8),
        ("QUICK and fast", "fast", 0.9),
        ("quick quick quick quick", "fast", 1.0),
        ("breakfast for allies", "balanced", 0.5),
        ("double-check and verify", "accurate", 0.9),
        ("double check it in detail, all of it", "thorough", 0.9),
        ("low-cost or low cost", "cheap", 0.9),
        ("easy", "simple", 0.8),
        ("fast but accurate", "fast", 0.8),
        ("simple, cheap", "cheap", 0.8),
        ("simple and easy but cheap", "simple", 0.9),
    ],
)
def test_words_tell_the_mode(query: str, mode: str, confidence: float) -> None:
    found = preference_of(query)
    assert found.mode == mode
    assert found.confidence == pytest.approx(confidence, abs=1e-9)


@pytest.mark.parametrize(("mode", "word"), [(m, w) for m, ws in WORDS.items() for w in ws])
def test_every_word_tells_its_mode(mode: str, word: str) -> None:
    found = preference_of(f"Please, {word.upper()}!")
    assert (found.mode, found.words) == (mode, (word,))


def test_a_mode_that_is_named_wins_over_words() -> None:
    assert preference_of("quick and fast", " Cheap ").mode == "cheap"
    assert preference_of("quick", " Cheap ").confidence == 1.0
    assert preference_of("quick", "").mode == "fast"


@pytest.mark.parametrize("mode", ["quickest", " ", "fast,cheap"])
def test_an_unknown_mode_is_refused_with_those_that_exist(mode: str) -> None:
    with pytest.raises(InvalidInputError, match="balanced"):
        preference_of("", mode)


@pytest.mark.parametrize(
    ("query", "metadata", "expected"),
    [
        ("how full is the disk", None, (100, 1, 1000)),
        ("list all hosts", None, (1000, 1, 1000)),
        ("every host", None, (1000, 1, 1000)),
        ("check everything", None, (1000, 1, 1000)),
        ("a single host", None, (1, 1, 1000)),
        ("every single host", None, (1, 1, 1000)),
        ("paginate the list", None, (100, 5, 1000)),
        ("three pages of all", None, (1000, 5, 1000)),
        ("call the phone", None, (100, 1, 1000)),
        ("install nothing on the homepage", None, (100, 1, 1000)),
        ("someone phoned alone", None, (100, 1, 1000)),
        ("all", {"asset_count": 7}, (7, 1, 1000)),
        ("", {"page_count": 3, "p95_latency": 250.5, "else": "x"}, (100, 3, 250.5)),
        ("one", {"asset_count": None}, (1, 1, 1000)),
    ],
)
def test_words_tell_the_size(
    query: str, metadata: dict[str, Any] | None, expected: tuple[float, float, float]
) -> None:
    found = context_of(query, metadata)
    assert tuple(found.variables.values()) == pytest.approx(expected, abs=1e-9)


def test_what_was_really_said_is_kept_apart_from_what_is_assumed() -> None:
    found = context_of("all of them", {"page_count": 2})
    assert found.told == {"N": 1000, "pages": 2}
    assert found.sources["N"] == "the word 'all'"
    assert found.sources["p95_latency"] == "assumed"


@pytest.mark.parametrize("value", ["7", True, -1, float("nan"), float("inf"), [1], 10**400])
def test_counts_that_are_no_numbers_are_refused(value: Any) -> None:
    with pytest.raises(InvalidInputError, match="asset_count"):
        context_of("", {"asset_count": value})
