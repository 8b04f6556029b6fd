"""A choice as a person reads it: what to use, why, why not the others, what to type next."""

from __future__ import annotations

import re
from typing import Any

import pytest
from factories import make_pattern, make_snapshot, make_tool

from tool_catalog_pipelines.catalog.records import Estimate
from tool_catalog_pipelines.selection.candidates import CandidateIndex
from tool_catalog_pipelines.selection.capability import Meaning, Possibility
from tool_catalog_pipelines.selection.choice import Choice, select
from tool_catalog_pipelines.selection.need import Need
from tool_catalog_pipelines.selection.sentences import WIDTH, choice_as_text
from tool_catalog_pipelines.selection.units import cost_text, duration_text

LONG = "a_rather_long_name_of_a_tool_that_somebody_chose"


def choice_of(*tools: Any, history: Any = None, **need: Any) -> Choice:
    return select(Need(("use",), **need), CandidateIndex(make_snapshot(*tools), history))


def a_meaning(question: str | None = None) -> Meaning:
    meant = Possibility("use", "linux/echo", "Says something")
    other = Possibility("shout", "linux/shout", "Says it loudly")
    third = Possibility("sing", "linux/sing", "Says it with a tune " * 6)
    return Meaning("say", meant, "say in its name", frozenset(), (other, third), question)


@pytest.mark.parametrize(
    ("ms", "text"),
    [(6.2, "6.2 ms"), (999.4, "999 ms"), (1180, "1.18 s"), (119_000, "119 s"),
     (600_000, "10 min"), (9e6, "2.5 h"), (0, "0 ms")],
)  # fmt: skip
def test_durations_have_the_unit_that_reads_best(ms: float, text: str) -> None:
    assert duration_text(ms) == text


def test_one_unit_is_no_units() -> None:
    assert (cost_text(1), cost_text(1.5)) == ("1 unit", "1.5 units")


def test_no_line_is_wider_than_a_screen() -> None:
    tools = [
        make_tool(
            f"linux/{LONG}_{number}",
            capabilities={"use": {LONG: make_pattern(
                description="A very long description " * 10, time_estimate_ms=f"{number + 1}e6",
                cost_estimate=f"{number}.123456",
                policy={"requires_approval": True, "max_N_immediate": 1},
            )}},
        )
        for number in range(9)
    ]  # fmt: skip
    text = choice_as_text(choice_of(*tools, query="all, quick"), a_meaning("Which?"))
    assert [line for line in text.splitlines() if len(line) > WIDTH] == []
    assert "and 3 more" in text


def test_the_usual_answer_fits_on_a_screen() -> None:
    tools = [make_tool(f"linux/t{number}", time_estimate_ms=f"{number}00") for number in range(4)]
    text = choice_as_text(choice_of(*tools, query="quick"), a_meaning())
    assert len(text.splitlines()) <= 36


def test_every_number_says_what_it_rests_on() -> None:
    plain = make_tool(
        "linux/echo", time_estimate_ms="20 + 0 * n", variables={"n": {"unit": "MB", "default": 3}}
    )
    assert "about 20 ms, as its author declared" in choice_as_text(choice_of(plain))
    assert "n = 3 MB (the tool's default); --var n=NUMBER" in choice_as_text(choice_of(plain))
    assert "n = 7 MB, as you gave it" in choice_as_text(choice_of(plain, variables={"n": 7}))
    measured = make_tool(estimates={("use", "run"): Estimate("30", "1", "recalibrated", 25)})
    assert "about 30 ms, as measured in 25 runs" in choice_as_text(choice_of(measured))
    unknown = make_tool("linux/dark", time_estimate_ms=None, cost_estimate=None)
    text = " ".join(choice_as_text(choice_of(unknown, make_tool())).split())
    assert re.search(r"linux/dark run \d+ \? \?", text)
    assert "A ? is not known and counts as middling." in text


def test_failures_are_told_with_their_interval() -> None:
    history = {("linux/echo@1.0.0", "use/run"): (16, 8)}
    text = choice_as_text(choice_of(make_tool(), history=history))
    assert "in 64% of runs (between 47% and 82%, from 24 executions)" in text


def test_it_says_what_to_type_next() -> None:
    text = choice_as_text(choice_of(make_tool()), is_long=False)
    assert "tool-catalog get linux/echo@1.0.0" in text
    assert "tool-catalog test linux/echo@1.0.0" in text
    assert "{tool: linux/echo@1.0.0, capability: use, pattern: run}" in text


def test_what_cannot_be_executed_says_why() -> None:
    elsewhere = {"kind": "command", "argv": ["x"], "target": "far", "output": {"parser": "text"}}
    far = choice_as_text(choice_of(make_tool(binding=elsewhere)))
    assert "over the connection far" in " ".join(far.split())
    assert "tool-catalog test" not in far
    nowhere = choice_as_text(choice_of(make_tool(binding=None)))
    assert "it has no binding" in " ".join(nowhere.split())


def test_a_close_call_says_by_how_much_or_that_nothing_differs() -> None:
    twins = choice_of(make_tool("linux/a"), make_tool("linux/b"))
    assert "linux/b run is equal in every figure" in choice_as_text(twins)
    near = choice_of(make_tool("linux/a"), make_tool("linux/b", time_estimate_ms="90"))
    text = " ".join(choice_as_text(near).split())
    assert "linux/b run has" in text
    assert "points against" in text


def test_a_variable_that_no_estimate_asks_for_is_told() -> None:
    tool = make_tool("linux/echo", variables={"n": {"unit": "MB", "default": 3}},
                     time_estimate_ms="20 + n")  # fmt: skip
    text = choice_as_text(choice_of(tool, variables={"n": 7, "m": 8}))
    assert "not used   m: the estimates of this pattern do not ask for it (they know: n)" in text
    assert "not used" not in choice_as_text(choice_of(tool, variables={"n": 7}))


def test_the_tool_whose_texts_gave_the_capability_need_not_be_the_chosen_one() -> None:
    named = "That names the capability use, for which tools then compete."
    other = choice_as_text(choice_of(make_tool("linux/other")), a_meaning())
    assert named in " ".join(other.split())
    same = choice_as_text(choice_of(make_tool("linux/echo")), a_meaning())
    assert named not in " ".join(same.split())


def test_what_counts_nothing_is_not_among_the_reasons() -> None:
    text = " ".join(choice_as_text(choice_of(make_tool(), weights={"time": 1.0})).split())
    assert "of 100 points, all of them for speed" in text
    assert "of 0)" not in text


def test_the_short_answer_says_how_to_get_the_long_one() -> None:
    choice = choice_of(make_tool())
    assert "--explain" in choice_as_text(choice, is_long=False)
    assert "--explain" not in choice_as_text(choice)


def test_how_words_were_understood_comes_first_with_the_doubt() -> None:
    lines = choice_as_text(choice_of(make_tool()), a_meaning("Which?")).splitlines()
    assert lines[0] == "Understood as: Says something (capability use)"
    assert lines[1].startswith("Not sure, it may as well mean: Says it loudly.")
    assert "--capability shout" in lines[1]
    sure = choice_as_text(choice_of(make_tool()), a_meaning())
    assert "Not sure" not in sure
    assert "If you meant something else, add\n  --capability shout  Says it loudly" in sure


def test_refused_ones_and_what_would_change_it_are_told() -> None:
    tools = (
        make_tool("linux/plain", time_estimate_ms="900"),
        make_tool("linux/risky", policy={"production_safe": False}),
    )
    text = choice_as_text(choice_of(*tools))
    assert "Not allowed\n  linux/risky run: it is not marked as safe in production" in text
    assert "linux/risky run would be chosen if it were allowed" in text
    alone = choice_as_text(choice_of(make_tool()))
    assert "What would change the answer: only a different need" in alone
    equal = choice_as_text(choice_of(make_tool("linux/a"), make_tool("linux/b")))
    assert "What would change the answer: no other --mode" in equal
