"""The commands against a second selector (selector_oracle.py), on thousands of seeded inputs.

Each command is started once for a test and gets everything as a batch. Does not belong here: what
is refused and how (the hostile tests), single examples (unit tests).
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
import selector_oracle as oracle
import yaml
from factories import make_pattern, make_tool_spec
from selector_oracle import NoAnswerError, OpenError

from tool_catalog_pipelines.selection.normalisation import cost_of_feature, time_of_feature

Document = dict[str, Any]
VOLUMES = [1, pytest.param(15, marks=pytest.mark.slow)]
DEADLINE_S = 600


def answers(
    *command: str, documents: Sequence[Document], env: Mapping[str, str] | None = None
) -> list[Document]:
    """What a command answers to each document, in one process."""
    done = subprocess.run(
        [sys.executable, "-m", "tool_catalog_pipelines.cli.app", *command, "--batch"],
        env={**os.environ, **(env or {})},
        input="\n".join(map(json.dumps, documents)),
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(documents)
    return found


def same(found: Any, expected: Any) -> bool:
    """Equal to 1e-9, also inside objects and lists."""
    if isinstance(expected, Mapping):
        given = cast("Mapping[str, Any]", expected)
        return found.keys() == given.keys() and all(same(found[key], given[key]) for key in given)
    if found is None or expected is None:
        return found is expected
    return found == pytest.approx(expected, rel=1e-9, abs=1e-9)


# --- expressions ---------------------------------------------------------------------------------

NAMES = ["N", "pages", "p95_latency", "cost", "time_ms", "pi", "e"]
NUMBERS = [
    "0",
    "1",
    "2",
    "3",
    "7",
    "10",
    "100",
    "1000",
    "0.5",
    "2.5",
    "1e3",
    "1_000",
    "0x1F",
    ".25",
]
BROKEN = [
    "True", "'5'", "N.real", "N[0]", "(1, 2)", "nope", "max(*N)", "log(x=1)", "1j", "(N > 5)",
    "None", "(lambda: 1)", "[1]", "log()", "min(3)", "sin(1)", "1e999", "007", "2N", "(1 +)",
    "sqrt(1, 2)", "(N := 1)", "f'{N}'", "{1}", "...", "abs()", "1__0", "0b", "b'1'", "N and 1",
]  # fmt: skip
CALLS = [("log", 1), ("log", 2), ("log10", 1), ("log2", 1), ("sqrt", 1), ("min", 2), ("max", 3),
         ("abs", 1), ("ceil", 1), ("floor", 1), ("exp", 1), ("round", 1), ("clamp", 3)]  # fmt: skip


def expression(rng: random.Random, depth: int) -> str:
    if depth == 0 or rng.random() < 0.15:
        if rng.random() < 0.01:
            return rng.choice(BROKEN)
        return rng.choice(NAMES) if rng.random() < 0.4 else rng.choice(NUMBERS)
    parts = [expression(rng, depth - 1) for _ in range(3)]
    kind = rng.random()
    if kind < 0.55:
        operator = rng.choice([" + ", " - ", "*", " * ", "/", " // ", "%", " % ", "**"])
        return rng.choice(["{}{}{}", "({}{}{})"]).format(parts[0], operator, parts[1])
    if kind < 0.65:
        return rng.choice(["-{}", "+{}", "-({})", "({})"]).format(parts[0])
    if kind < 0.72:
        order = rng.choice(["<", "<=", ">", ">=", "==", "!="])
        joined = rng.choice(["", "", f" and {parts[1]} < 9", f" or not {parts[1]} < 9"])
        return f"({parts[0]} if {parts[1]} {order} {parts[2]}{joined} else {parts[1]})"
    name, count = rng.choice(CALLS)
    return f"{name}({', '.join(parts[:count])})"


def variables(rng: random.Random) -> Document:
    values = [0, 1, -3, 7, 50, 250, 10_000, 0.25, 1e-3, 123.456, -0.5, 10**9]
    return {name: rng.choice(values) for name in NAMES[:5] if rng.random() < 0.5}


@pytest.mark.parametrize("volume", VOLUMES)
def test_expressions(volume: int) -> None:
    rng = random.Random(1)
    documents: list[Document] = [
        {"expr": expression(rng, rng.randint(0, 4)), "vars": variables(rng)}
        for _ in range(6_000 * volume)
    ]
    valued = 0
    for document, found in zip(documents, answers("eval", documents=documents), strict=True):
        try:
            expected = oracle.evaluate(document["expr"], document["vars"])
        except NoAnswerError:
            assert set(found) == {"error"}, document
            continue
        except OpenError:
            continue
        valued += 1
        assert same(found.get("value"), expected), (document, found, expected)
        named = {name for name in NAMES[:5] if re.search(rf"\b{name}\b", document["expr"])}
        assert set(found.get("defaults", {})) == named - set(document["vars"]), document
    assert valued > len(documents) / 2


def test_the_depth_of_expressions() -> None:
    counts = [18, 19, 20, 21, 22]
    forms = [("1+", ""), ("abs(", ")"), ("-", ""), ("1**", ""), ("min(1, ", ")")]
    deep = [(count, front * count + "1" + end * count) for count in counts for front, end in forms]
    found = answers("eval", documents=[{"expr": text} for _, text in deep])
    for (count, text), one in zip(deep, found, strict=True):
        assert ("value" in one) == (count <= 20), text


def test_a_number_is_an_expression_and_limits_are_those_that_are_described() -> None:
    texts: list[Any] = [5, 2.5, -3, "2 ** 100", "2 ** -100", "2 ** 100.5", "2 ** 101", "2 ** -101"]
    found = answers("eval", documents=[{"expr": text} for text in texts])
    assert [one["value"] for one in found[:5]] == [5, 2.5, -3, 2.0**100, 2.0**-100]
    assert all("error" in one for one in found[5:])


# --- rank ----------------------------------------------------------------------------------------

MODES = [*oracle.WORDS, "balanced"]
FIGURES = ["time_ms", "cost", "complexity", "accuracy", "completeness"]


def raw_figure(rng: random.Random, name: str) -> float:
    if rng.random() < 0.1:
        return rng.choice([-5, 0, 1e-300, 49.999, 50, 60_000, 60_001, 1e300, 1, 10, 11])
    if name == "time_ms":
        return math.exp(rng.uniform(2, 13))
    return rng.uniform(-1, 12) if name == "cost" else rng.choice([rng.random(), 0.2, 0.5, 0.9])


def candidates(rng: random.Random, is_normalised: bool) -> Document:
    made: Document = {}
    for number in range(rng.choice([0, 1, 2, 2, 3, 5, 8])):
        figures = {
            name: rng.random() if is_normalised else raw_figure(rng, name)
            for name in FIGURES
            if rng.random() < 0.85
        }
        if made and rng.random() < 0.2:
            figures = dict(rng.choice(list(made.values())))
        if made and rng.random() < 0.2:
            near = rng.choice(list(made.values()))
            figures = {name: value + rng.uniform(0, 0.04) for name, value in near.items()}
            if is_normalised:
                figures = {name: min(value, 1) for name, value in figures.items()}
        made[f"c{rng.randrange(10**6)}_{number}"] = figures
    return made


def weighted(rng: random.Random) -> Document:
    names = rng.sample(list(oracle.WEIGHTED), rng.randint(1, 5))
    shares = [rng.random() + 0.01 for _ in names]
    total = sum(shares) / rng.choice([1, 1, 1, 0.995, 1.005, 0.98, 1.02])
    return {name: share / total for name, share in zip(names, shares, strict=True)}


def ranking_document(rng: random.Random) -> Document:
    is_normalised = rng.random() < 0.3
    document: Document = {"candidates": candidates(rng, is_normalised)}
    if is_normalised:
        document["normalised"] = True
    kind = rng.random()
    if kind < 0.6:
        document["mode"] = rng.choice(MODES)
    elif kind < 0.9:
        document["weights"] = weighted(rng)
    return document


def assert_ranked(document: Document, found: Document) -> None:
    weights = document.get("weights") or oracle.weights_of(document.get("mode", "balanced"))
    if abs(sum(weights.values()) - 1) > 0.01:
        assert set(found) == {"error"}, document
        return
    given = document["candidates"]
    features = {
        name: raw if document.get("normalised") else oracle.features_of(raw)
        for name, raw in given.items()
    }
    scores = {name: oracle.score_of(one, weights) for name, one in features.items()}
    assert same(found["features"], features), document
    assert same(found["scores"], scores), document
    order = found["order"]
    assert sorted(order) == sorted(given)
    places = {name: place for place, name in enumerate(given)}
    for first, second in pairwise(order):
        assert scores[first] >= scores[second] - 1e-12
        if given[first] == given[second]:
            assert places[first] < places[second], "equal candidates keep their order"
    assert_close(found, [scores[n] for n in order[:2]], [features[n] for n in order[:2]])


def assert_close(found: Document, scores: Sequence[float], features: Sequence[Any]) -> None:
    gap = oracle.gap_of(scores)
    assert same(found["gap"], gap)
    if abs(gap - 0.08) > 1e-12:
        assert found["ambiguous"] is (gap < 0.08)
    if not found["ambiguous"]:
        assert found["question"] is None
        return
    names = oracle.dimensions_of(*features)
    assert any(re.search(rf"(matter|Does).*\b{name}\b", found["question"]) for name in names)


@pytest.mark.parametrize("volume", VOLUMES)
def test_rank(volume: int) -> None:
    rng = random.Random(2)
    documents = [ranking_document(rng) for _ in range(2_500 * volume)]
    found = answers("selection", "rank", documents=documents)
    for document, one in zip(documents, found, strict=True):
        assert_ranked(document, one)
    assert sum(one.get("ambiguous", False) for one in found) > len(found) / 10


def test_ties_and_dominance() -> None:
    rng = random.Random(3)
    same_score = {"time_ms": 50, "cost": 0, "complexity": 0, "accuracy": 1, "completeness": 1}
    documents: list[Document] = []
    for _ in range(300):
        ids = rng.sample(range(1000), 12)
        documents.append(
            {
                "mode": rng.choice(MODES),
                "candidates": {
                    f"c{number}": {**same_score, "time_ms": rng.choice([50, 40, 30])}
                    for number in ids
                },
            }
        )
    for document, found in zip(
        documents, answers("selection", "rank", documents=documents), strict=True
    ):
        given = document["candidates"]
        assert found["order"] == sorted(given, key=lambda name: given[name]["time_ms"])
        for one in found["order"]:
            for other in found["order"][: found["order"].index(one)]:
                assert not oracle.dominates(given[one], given[other])


def test_where_0_08_depends_on_floats() -> None:
    """The second is computed, so that the difference of the floats decides, as it always did."""
    pairs = [(0.85, 0.77), (0.50, 0.42), (0.58, 0.5), (0.9, 0.82), (0.08, 0.0), (1.0, 0.92)]
    documents: list[Document] = [
        {
            "weights": {"time": 1},
            "normalised": True,
            "candidates": {"a": {"time_ms": one}, "b": {"time_ms": other}},
        }
        for one, other in pairs
    ]
    found = [one["ambiguous"] for one in answers("selection", "rank", documents=documents)]
    assert found == [abs(one - other) < 0.08 for one, other in pairs]
    assert found[:2] == [True, False]


def test_the_way_back_from_features() -> None:
    for step in range(101):
        assert same(time_of_feature(step / 100), oracle.time_of(step / 100))
        assert same(cost_of_feature(step / 100), oracle.cost_of(step / 100))


# --- preference and context ----------------------------------------------------------------------

FILLER = ["disk", "server", "call", "phone", "hall", "alone", "someone", "small", "homepage",
          "overall", "installed", "breakfast", "freedom", "fullness", "recall", "pagefile",
          "simplicity", "uneasy", "stone", "the", "usage", "over", "everywhen"]  # fmt: skip
SIZES = [*oracle.ALL_WORDS, *oracle.ONE_WORDS, *oracle.PAGE_WORDS]


def sentence(rng: random.Random, words: Sequence[str]) -> str:
    chosen = [
        rng.choice(words if rng.random() < 0.35 else FILLER) for _ in range(rng.randint(0, 9))
    ]
    cased = [rng.choice([word, word, word.upper(), word.capitalize()]) for word in chosen]
    return "".join(word + rng.choice([" ", " ", ", ", "; ", "! ", "/"]) for word in cased)


def test_every_word_of_every_mode() -> None:
    words = [(mode, word) for mode in oracle.WORDS for word in oracle.words_of(mode)]
    texts = [(mode, form) for mode, word in words for form in (word, f"X {word.upper()}, y")]
    documents = [{"query": text} for _, text in texts]
    found = answers("selection", "preference", documents=documents)
    for (mode, text), one in zip(texts, found, strict=True):
        assert one["mode"] == mode, text
        assert same(one["confidence"], 0.8), text


@pytest.mark.parametrize("volume", VOLUMES)
def test_preference(volume: int) -> None:
    rng = random.Random(4)
    words = [word for mode in oracle.WORDS for word in oracle.words_of(mode)]
    modes = ["", "fast", " Fast ", "THOROUGH", "balanced", "quickest", "fas t", "simple\n", " "]
    documents: list[Document] = []
    for _ in range(4_000 * volume):
        document = {"query": sentence(rng, words)}
        if rng.random() < 0.15:
            document["mode"] = rng.choice(modes)
        documents.append(document)
    found = answers("selection", "preference", documents=documents)
    for document, one in zip(documents, found, strict=True):
        try:
            mode, confidence = oracle.preference_of(document["query"], document.get("mode"))
        except NoAnswerError:
            assert set(one) == {"error"}, document
            continue
        assert one["mode"] == mode, document
        assert same(one["confidence"], confidence), document


@pytest.mark.parametrize("volume", VOLUMES)
def test_context(volume: int) -> None:
    rng = random.Random(5)
    documents: list[Document] = []
    for _ in range(3_000 * volume):
        names = [name for name in oracle.METADATA if rng.random() < 0.15]
        metadata = {name: rng.choice([0, 3, 2.5, 10**6]) for name in names}
        documents.append({"query": sentence(rng, SIZES), "metadata": metadata})
    found = answers("selection", "context", documents=documents)
    for document, one in zip(documents, found, strict=True):
        assert same(one, oracle.context_of(document["query"], document["metadata"])), document


# --- policy --------------------------------------------------------------------------------------

ENVIRONMENTS = ["production", "staging", "development"]
PERMISSIONS = ["read", "write", "execute", "admin", "root", "sudo"]


def maybe(rng: random.Random, document: Document, key: str, values: Sequence[Any]) -> None:
    if rng.random() < 0.5:
        document[key] = rng.choice(values)


def condition(rng: random.Random, names: Sequence[str], depth: int = 2) -> oracle.Condition:
    kind = rng.random()
    if depth == 0 or kind < 0.5:
        simple = rng.choice(["over", "under", "unequal"])
        return simple, rng.choice(names), rng.choice([0, 1, 5, 50, 1000])
    if kind < 0.65:
        return "not", condition(rng, names, depth - 1)
    both = [condition(rng, names, depth - 1) for _ in range(2)]
    return rng.choice(["and", "or"]), *both


def some(rng: random.Random, values: Sequence[str]) -> list[str]:
    return rng.sample(values, rng.randint(0, len(values)))


def own_policy(rng: random.Random, names: Sequence[str]) -> Document:
    """The policy of a pattern; its condition under `when` and as text."""
    policy: Document = {}
    maybe(rng, policy, "max_cost", [0, 1, 5, 9.5])
    maybe(rng, policy, "max_N_immediate", [0, 5, 100, 1000])
    maybe(rng, policy, "max_execution_time_s", [1, 5, 60])
    maybe(rng, policy, "production_safe", [True, True, False])
    maybe(rng, policy, "requires_approval", [True, False])
    if rng.random() < 0.4:
        policy["allowed_environments"] = some(rng, ENVIRONMENTS)
    if rng.random() < 0.4:
        policy["required_permissions"] = some(rng, PERMISSIONS)
    if rng.random() < 0.4:
        policy["when"] = condition(rng, names)
    return policy


def policy_document(rng: random.Random) -> Document:
    config: Document = {}
    maybe(rng, config, "max_cost", [0, 1, 5, 9.5])
    maybe(rng, config, "max_time_ms", [100, 1000, 5000])
    maybe(rng, config, "environment", ENVIRONMENTS)
    maybe(rng, config, "require_production_safe", [True, False])
    maybe(rng, config, "require_approval_for_elevated", [True, False])
    if rng.random() < 0.4:
        config["available_permissions"] = some(rng, PERMISSIONS)
    pattern = own_policy(rng, ["N", "pages", "cost"])
    maybe(rng, pattern, "cost", [0, 1, 5, 5.0001, 9.5, 100])
    maybe(rng, pattern, "time_ms", [0, 100, 1000, 1000.1, 5000, 60_000, 60_001])
    known = {name: rng.choice([0, 1, 5, 50, 51, 1000]) for name in ("N", "pages", "cost")}
    context = {name: value for name, value in known.items() if rng.random() < 0.7}
    return {"config": config, "pattern": pattern, "context": context}


def as_written(policy: Document) -> Document:
    """A policy with its condition as text."""
    written = {key: value for key, value in policy.items() if key != "when"}
    if "when" in policy:
        written["requires_background_if"] = oracle.condition_text(policy["when"])
    return written


@pytest.mark.parametrize("volume", VOLUMES)
def test_policy(volume: int) -> None:
    rng = random.Random(6)
    documents = [policy_document(rng) for _ in range(4_000 * volume)]
    written = [{**one, "pattern": as_written(one["pattern"])} for one in documents]
    for document, found in zip(
        documents, answers("selection", "policy", documents=written), strict=True
    ):
        expected = oracle.violations_of(
            document["config"], document["pattern"], document["context"]
        )
        got = [(one["rule"], one["severity"]) for one in found["violations"]]
        assert got == expected, document
        hard = [v["message"] for v in found["violations"] if v["severity"] == "hard"]
        assert found["allowed"] is (not hard)
        assert found["reason"] == ("; ".join(hard) or None)
        assert found["requires_approval"] is any(severity == "soft" for _, severity in got)


# --- order of steps ------------------------------------------------------------------------------


def steps_document(rng: random.Random) -> list[tuple[str, list[str]]]:
    names = [f"{rng.choice(['get', 'put', 'a.b', 'x'])}_{number}" for number in range(8)]
    names = rng.sample(names, rng.randint(0, 8))
    steps: list[tuple[str, list[str]]] = []
    is_forward = rng.random() < 0.7
    for at, name in enumerate(names):
        known = names[:at] if is_forward else names
        references = rng.sample(known, min(len(known), rng.choice([0, 0, 1, 1, 2])))
        if rng.random() < 0.1:
            references.append(rng.choice(["get_*", "*_3", "g*_*1", "*", "x*", "nothing*", "*t*_*"]))
        if rng.random() < 0.05:
            references.append(rng.choice(["nothing", name, "get"]))
        steps.append((name, references))
    rng.shuffle(steps)
    return steps


@pytest.mark.parametrize("volume", VOLUMES)
def test_chain_order(volume: int) -> None:
    rng = random.Random(7)
    documents = [steps_document(rng) for _ in range(4_000 * volume)]
    found = answers("chain", "order", documents=[{"steps": steps} for steps in documents])
    ordered = 0
    for steps, one in zip(documents, found, strict=True):
        errors = one["errors"]
        missing = {e.partition(": ")[2] for e in errors if e.startswith("Missing dependency: ")}
        assert missing == set(oracle.missing_of(steps)), steps
        themselves = {name for name, references in steps if name in references}
        selves = [e for e in errors if e.startswith("Invalid step reference: Self-dependency")]
        assert len(set(selves)) == len(themselves), (steps, errors)
        order = oracle.order_of(steps)
        assert any(e.startswith("Circular") for e in errors) or bool(selves) is (order is None)
        if order is None:
            assert (one["order"], one["levels"]) == ([], [])
        else:
            ordered += 1
            assert one["order"] == order, steps
            assert one["levels"] == oracle.levels_of(steps), steps
    assert len(documents) / 2 < ordered < len(documents)


# --- the whole selection -------------------------------------------------------------------------

ESTIMATES = ["{}", "{} + N", "{} + 2 * files", "N * {} / 100", "{} * ceil(files / 10) + pages",
             "log2(N + 2) * {}", "{} * p95_latency / 100", "{} / abs(files - 33)",
             "6000 - {} * files",
             "{} if N > 500 else {}"]  # fmt: skip
CAPABILITIES = ["look", "count", "copy"]
VARIABLES = {
    "N": ([0, 20, 600], [0, 10_000]),
    "files": ([0, 5, 1], [0, 500]),
    "pages": ([1, 2], [0, 3]),
    "p95_latency": ([10, 100], [1, 10_000]),
}


def estimate(rng: random.Random, *numbers: float) -> str:
    return rng.choice(ESTIMATES).format(rng.choice(numbers), rng.choice(numbers))


def pattern_spec(rng: random.Random) -> Document:
    time_ms = estimate(rng, 20, 300, 900, 4000, 9000) if rng.random() < 0.7 else "4000 / 8 * 10"
    cost = estimate(rng, 0, 1, 1, 3)
    declared = {
        name: {"unit": "count", "default": rng.choice(defaults), "range": bounds}
        for name, (defaults, bounds) in VARIABLES.items()
        if name in time_ms + cost
    }
    if "6000" in time_ms:
        declared["files"]["default"] = 0
    return {
        "time_estimate_ms": time_ms,
        "cost_estimate": cost,
        "complexity_score": rng.choice([0, 0.2, 0.5, 0.9]),
        "preference_match": {
            name: round(rng.random(), 2)
            for name in ("speed", "accuracy", "cost", "complexity", "completeness")
        },
        "variables": declared,
        "policy": {"production_safe": True, **own_policy(rng, ["N", "files", "time_ms"])},
    }


def catalogue(rng: random.Random) -> Document:
    """Tool name -> capability -> pattern -> pattern as in YAML, its condition under `when`."""
    return {
        f"tool_{number:02}": {
            capability: {f"way_{way}": pattern_spec(rng) for way in range(rng.choice([1, 1, 2, 3]))}
            for capability in (
                ["move"] if number < 2 else rng.sample(CAPABILITIES, rng.choice([1, 1, 2]))
            )
        }
        for number in range(24)
    }


def written(tools: Document, folder: Path) -> None:
    (folder / "tools").mkdir(parents=True)
    for name, capabilities in tools.items():
        spec = make_tool_spec(
            f"linux/{name}@1.0.0",
            capabilities={
                capability: {
                    way: make_pattern(**{**one, "policy": as_written(one["policy"])})
                    for way, one in patterns.items()
                }
                for capability, patterns in capabilities.items()
            },
        )
        document = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        (folder / "tools" / f"{name}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")


def need_document(rng: random.Random) -> Document:
    words = [*SIZES, *(word for mode in oracle.WORDS for word in oracle.words_of(mode))]
    need: Document = {
        "capability": rng.choice([*CAPABILITIES, "move", rng.sample(CAPABILITIES, 2)]),
        "query": sentence(rng, words),
    }
    given = {"N": [0, 5, 700, 20_000], "files": [0, 33, 9999], "unheard_of": [4], "pages": [9]}
    var = {name: rng.choice(values) for name, values in given.items() if rng.random() < 0.25}
    if var or rng.random() < 0.2:
        need["var"] = var
    if rng.random() < 0.2:
        need["metadata"] = {"asset_count": rng.choice([3, 600])}
    kind = rng.random()
    if kind < 0.3:
        need["mode"] = rng.choice(MODES)
    elif kind < 0.4:
        need["weights"] = {"time": 0.5, "accuracy": 0.5}
    for key, values in (
        ("environment", ENVIRONMENTS),
        ("require_production_safe", [True, False]),
        ("max_cost", [0, 0.5, 1, 3]),
        ("max_time_ms", [10, 500, 3000]),
    ):
        if rng.random() < 0.25:
            need[key] = rng.choice(values)
    if rng.random() < 0.3:
        need["permissions"] = some(rng, PERMISSIONS)
    return need


def figure(text: str, values: Mapping[str, float]) -> float | None:
    """What an estimate gives; None if it cannot, or if it gives less than nothing."""
    try:
        found = oracle.evaluate(text, values)
    except NoAnswerError:
        return None
    return found if found >= 0 else None


def seen(pattern: Document, need: Document) -> tuple[float | None, float | None, Document]:
    """Time, cost and variables of a pattern, as a need sees them."""
    told = oracle.told_of(need["query"], need.get("metadata", {})) | need.get("var", {})
    declared = pattern["variables"]
    known = {name: one["default"] for name, one in declared.items()} | told
    values = {
        name: oracle.clip(known[name], *declared[name]["range"])
        if name in declared
        else known[name]
        for name in known
    }
    time_ms = figure(pattern["time_estimate_ms"], values)
    cost = figure(pattern["cost_estimate"], values)
    figures = {"time_ms": time_ms, "cost": cost}
    context = {name: one for name, one in figures.items() if one is not None}
    return time_ms, cost, {"N": 100, "pages": 1, "p95_latency": 1000} | known | context | told


def judged(tools: Document, need: Document) -> dict[tuple[str, str, str], Document]:
    """Every candidate with everything that follows for it."""
    named: str | list[str] = need["capability"]
    wanted = {named} if isinstance(named, str) else set(named)
    keys = ("environment", "max_cost", "max_time_ms", "require_production_safe")
    config = {key: need[key] for key in keys if key in need}
    if "permissions" in need:
        config["available_permissions"] = need["permissions"]
    found: dict[tuple[str, str, str], Document] = {}
    for name, capabilities in tools.items():
        for capability in capabilities.keys() & wanted:
            for way, pattern in capabilities[capability].items():
                time_ms, cost, context = seen(pattern, need)
                raw = {
                    "time_ms": time_ms,
                    "cost": cost,
                    "complexity": pattern["complexity_score"],
                    "accuracy": pattern["preference_match"]["accuracy"],
                    "completeness": pattern["preference_match"]["completeness"],
                }
                flat = {**pattern["policy"], "time_ms": time_ms, "cost": cost}
                found[f"linux/{name}", capability, way] = {
                    "time_ms": time_ms,
                    "cost": cost,
                    "features": oracle.features_of({k: v for k, v in raw.items() if v is not None}),
                    "violations": oracle.violations_of(config, flat, context),
                }
    return found


def key_of(found: Document) -> tuple[str, str, str]:
    return found["tool"], found["capability"], found["pattern"]


def assert_selected(tools: Document, need: Document, found: Document) -> str:
    """Holds an answer against the oracle; returns what kind of answer it was."""
    everything = judged(tools, need)
    allowed = {
        key: one
        for key, one in everything.items()
        if all(severity == "soft" for _, severity in one["violations"])
    }
    if not allowed:
        assert found["error"]["code"] == "all_refused", (need, found)
        return "refused"
    mode, confidence = oracle.preference_of(need["query"], need.get("mode"))
    weights = need.get("weights") or oracle.weights_of(mode)
    scores = {key: oracle.score_of(one["features"], weights) for key, one in allowed.items()}
    assert_ranking(found, allowed, scores, weights)
    chosen = allowed[key_of(found)]
    rules = [rule for rule, _ in chosen["violations"]]
    assert same(found["score"], max(scores.values())), need
    assert same(found["estimates"]["time_ms"]["value"], chosen["time_ms"]), need
    assert same(found["estimates"]["cost_units"]["value"], chosen["cost"]), need
    assert found["hints"]["execution_mode"] == oracle.mode_of(chosen["time_ms"], rules), need
    assert found["hints"]["sla_class"] == oracle.class_of(chosen["time_ms"])
    assert found["mode"] == ("weights" if "weights" in need else mode) or "weights" in need
    assert same(found["confidence"], confidence)
    assert (found["method"], found["version"]) == ("deterministic", "1.0.0")
    assert found["candidates"] == len(everything)
    assert found["refused"] == len(everything) - len(allowed)
    assert_refused(found, everything)
    return "ambiguous" if found["ambiguous"] else "clear"


def assert_ranking(
    found: Document,
    allowed: Mapping[tuple[str, str, str], Document],
    scores: Mapping[tuple[str, str, str], float],
    weights: Mapping[str, float],
) -> None:
    ranking = [key_of(one) for one in found["explanation"]["ranking"]]
    assert key_of(found) == ranking[0]
    best = sorted(scores.values(), reverse=True)
    for place, (key, one) in enumerate(zip(ranking, found["explanation"]["ranking"], strict=True)):
        assert same(scores[key], best[place])
        assert same(one["score"], scores[key])
        assert same(one["features"], allowed[key]["features"])
        expected = oracle.contributions_of(allowed[key]["features"], weights)
        assert same({**dict.fromkeys(expected, 0.0), **one["contributions"]}, expected)
    names = [f"{tool.partition('/')[2]}.{way}" for tool, _, way in ranking]
    assert found["alternatives"] == names[1:4]
    features = [allowed[key]["features"] for key in ranking[:2]]
    assert_close(found, best[:2], features)
    added = sorted(oracle.contributions_of(features[0], weights).values(), reverse=True)
    because = " ".join(found["explanation"]["because"])
    part = r"[a-z ]+ \((\d[\d.]*) of [\d.]+\)"
    told = re.search(rf"most of them for {part} and {part}", because)
    assert told, because
    for text, value in zip(told.groups(), added, strict=False):
        assert float(text) == pytest.approx(100 * value, abs=0.501)


def assert_refused(found: Document, everything: Mapping[tuple[str, str, str], Document]) -> None:
    for one in found["explanation"]["refused"]:
        got = [(v["rule"], v["severity"]) for v in one["violations"]]
        assert got == everything[key_of(one)]["violations"], one


@pytest.mark.parametrize("volume", VOLUMES)
def test_select(tmp_path: Path, volume: int) -> None:
    rng = random.Random(8)
    tools = catalogue(rng)
    written(tools, tmp_path / "catalogue")
    env = {
        "TOOL_CATALOG_HOME": str(tmp_path / "home"),
        "TOOL_CATALOG_YAML_DIR": str(tmp_path / "catalogue"),
        "TOOL_CATALOG_SOURCE": "yaml",
        "TOOL_CATALOG_ENVIRONMENT": "production",
    }
    needs = [need_document(rng) for _ in range(800 * volume)]
    found = answers("select", documents=needs, env=env)
    kinds = [assert_selected(tools, *pair) for pair in zip(needs, found, strict=True)]
    for kind in ("refused", "ambiguous", "clear"):
        assert kinds.count(kind) > len(kinds) / 20, f"too few are {kind}"
