"""Which capability words mean: what competes, what is asked back, what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from factories import make_pattern, make_snapshot, make_tool
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.catalog.search.explanation import Reasons
from tool_catalog_pipelines.catalog.search.search import Hit
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.selection.asked import SIZES, SUBJECTS, terms_of, topic_of
from tool_catalog_pipelines.selection.candidates import CandidateIndex
from tool_catalog_pipelines.selection.capability import CapabilityFinder, Meaning
from tool_catalog_pipelines.selection.choice import select
from tool_catalog_pipelines.selection.explanation import meaning_as_json
from tool_catalog_pipelines.selection.need import Need
from tool_catalog_pipelines.selection.preference import WORDS

MANNER = sorted({word for words in WORDS.values() for word in words} - SUBJECTS | SIZES)


def way(description: str, *use_cases: str, **more: Any) -> dict[str, Any]:
    return make_pattern(description=description, typical_use_cases=list(use_cases), **more)


TOOLS = (
    make_tool("linux/tar", capabilities={"archive": {
        "create_archive": way("A folder packed into an archive", "pack a folder"),
        "list_archive": way("Names of the entries", "what is in an archive",
                            time_estimate_ms="1"),
    }}),
    make_tool("linux/zip", capabilities={"archive": {
        "pack": way("A folder packed into a zip archive", "pack a folder", time_estimate_ms="50"),
        "unpack": way("Entries of an archive written to a folder", "unpack an archive"),
    }}),
    make_tool("linux/ps", capabilities={"process_list": {
        "run": way("Every process", "list processes", time_estimate_ms="300"),
    }}),
    make_tool("windows/tasklist", capabilities={"process_list": {
        "run": way("Every process of a windows machine", "list processes", binding=None),
    }}),
    make_tool("linux/who", capabilities={"sessions": {
        "run": way("Everybody who is logged in", "logged in users"),
    }}),
)  # fmt: skip
INDEX = CandidateIndex(make_snapshot(*TOOLS))


def meaning(
    query: str, *found: str, corrections: Mapping[str, tuple[str, ...]] | None = None, **need: Any
) -> Meaning:
    """What the finder makes of a query, if the search finds these tools in this order."""
    tools = {tool.header.tool_name: tool for tool in TOOLS}
    hits = [
        Hit(tools[name], 2 / (60 + rank), Reasons(words=((name, "name"),), similarity=0.3))
        for rank, name in enumerate(found or tools, start=1)
    ]
    return CapabilityFinder(INDEX).meaning(Need((), query, **need), hits, corrections or {})


def competing(found: Meaning) -> set[str]:
    return {f"{way.tool[1]}.{way.pattern}" for way in found.ways}


@pytest.mark.parametrize(
    ("query", "topic"),
    [
        ("quickly list all processes", "list processes"),
        ("LIST every PROCESS in detail, ASAP!", "list process"),
        ("low-cost checksum of one single file", "checksum of file"),
        ("a double check of the zone", "a of the zone"),
        ("free memory", "free memory"),
        ("full backup", "full backup"),
        ("verify a signature exactly", "verify a signature"),
        ("quick", "quick"),
        ("all of it, fast", "all of it, fast"),
        ("", ""),
    ],
)
def test_words_of_preference_and_size_are_not_looked_for(query: str, topic: str) -> None:
    assert topic_of(query) == topic


@given(st.lists(st.sampled_from(MANNER), max_size=4), st.integers(0, 3))
def test_no_word_of_preference_changes_what_is_meant(words: list[str], place: int) -> None:
    told = ["list", "running", "processes"]
    asked = " ".join([*told[:place], *words, *told[place:]])
    assert meaning(asked).meant == meaning("list running processes").meant


def test_the_nearest_decides_not_the_first_hit() -> None:
    found = meaning("list processes", "tar", "who", "ps")
    assert (found.meant.capability, found.meant.tool) == ("process_list", "linux/ps")
    assert found.reason == "ps in its name"
    assert found.question is None


def test_tools_with_the_capability_compete_also_those_that_were_not_found() -> None:
    assert competing(meaning("list processes", "ps")) == {"ps.run", "tasklist.run"}


def test_of_each_tool_only_what_is_asked_for_competes() -> None:
    found = meaning("quickly pack a folder into an archive")
    assert competing(found) == {"tar.create_archive", "zip.pack"}
    need = Need((found.meant.capability,), "quickly pack a folder", ways=found.ways)
    choice = select(need, INDEX)
    assert choice.chosen.candidate.short_name == "tar.create_archive"
    assert len(choice.ranking) == 2


def test_other_capabilities_are_named_and_never_compete() -> None:
    found = meaning("list processes")
    assert {way.capability for way in found.ways} == {"process_list"}
    assert {one.capability for one in found.others} == {"archive", "sessions"}
    assert meaning_as_json(found)["other_capabilities"] == [one.capability for one in found.others]


def test_two_capabilities_that_are_about_as_near_raise_a_question() -> None:
    index = CandidateIndex(
        make_snapshot(
            *(
                make_tool(f"linux/{name}", capabilities={name: {"run": way("Copies a folder")}})
                for name in ("copy", "synchronise")
            )
        )
    )
    hits = [
        Hit(tool, 2 / (60 + rank), Reasons(similarity=0.4))
        for rank, tool in enumerate(index.capabilities["copy"] + index.capabilities["synchronise"])
    ]
    found = CapabilityFinder(index).meaning(Need((), "folder"), hits, {})
    assert found.question is not None
    for part in ("--capability copy", "--capability synchronise", "Which do you mean"):
        assert part in found.question
    document = meaning_as_json(found)
    assert (document["ambiguous"], document["question"]) == (True, found.question)


@pytest.mark.parametrize(
    "query",
    ["", "   ", "?!", "the of and", "asdf qwer", "folder of zebras, penguins and giraffes singing",
     "\x00\x1b[31m", "どこ", "x" * 5000, "fold " * 500, "'; DROP TABLE x; --", "\udcff"],
)  # fmt: skip
def test_what_is_near_to_nothing_is_refused_with_advice(query: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        meaning(query)
    (problem,) = caught.value.problems
    assert problem.code == "no_candidates"
    assert "in a few English words" in problem.hint
    assert problem.message.isprintable()
    assert len(problem.message) < 200


def test_a_refusal_names_what_was_nearest() -> None:
    with pytest.raises(InvalidInputError, match="nearest, though not near: archive"):
        meaning("folder of zebras, penguins and giraffes")


def test_a_name_that_says_nothing_elsewhere_is_understood() -> None:
    assert meaning("who").meant.tool == "linux/who"


def test_a_corrected_word_counts_but_less() -> None:
    corrected = terms_of("proces", {"proces": ("process",)})
    assert corrected[0].credits["word process"] == 0.5
    found = meaning("list proceses", "ps", corrections={"proceses": ("processes",)})
    assert found.meant.tool == "linux/ps"


def test_filters_leave_out_what_cannot_be_meant() -> None:
    found = meaning("list processes", "tasklist", "ps", executable_only=True)
    assert competing(found) == {"ps.run"}
    need = Need((found.meant.capability,), ways=meaning("list processes").ways, platform="windows")
    assert select(need, INDEX).chosen.candidate.short_name == "tasklist.run"


def test_hits_that_the_index_does_not_know_are_passed_over() -> None:
    strange = Hit(make_tool("linux/strange"), 1.0, Reasons(similarity=1.0))
    with pytest.raises(InvalidInputError):
        CapabilityFinder(INDEX).meaning(Need((), "list processes"), [strange], {})


@given(st.text(max_size=200))
def test_any_text_is_understood_or_refused(query: str) -> None:
    try:
        found = meaning(query)
    except InvalidInputError as error:
        assert error.problems[0].code == "no_candidates"
    else:
        assert found.ways
        assert found.meant.capability in INDEX.capabilities
