"""Steps in Kahn's order, levels by the longest way, everything wrong told."""

from __future__ import annotations

import random

import pytest

from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.planning.step_order import order_steps


def test_ready_steps_queue_in_the_order_in_which_they_came() -> None:
    found = order_steps([("a", []), ("b", ["a"]), ("c", []), ("d", ["b", "c"])])
    assert found.order == ("a", "c", "b", "d")
    assert found.levels == (("a", "c"), ("b",), ("d",))
    assert found.errors == ()


@pytest.mark.parametrize(
    ("wildcard", "waits_for"),
    [
        ("step_*_ps", ("step_1_ps",)),
        ("step_*", ("step_1_ps", "step_2_df")),
        ("*_df", ("step_2_df",)),
        ("*1*ps", ("step_1_ps",)),
        ("*1***ps", ("step_1_ps",)),
    ],
)
def test_wildcards_mean_every_other_step_that_matches(
    wildcard: str, waits_for: tuple[str, ...]
) -> None:
    others = ("step_1_ps", "step_2_df")
    after = {name: [] if name in waits_for else ["step_last"] for name in others}
    found = order_steps([("step_last", [wildcard]), *after.items()])
    assert not found.errors
    assert set(found.order[: found.order.index("step_last")]) == set(waits_for)


def test_unknown_names_are_told_and_do_not_hinder() -> None:
    found = order_steps([("a", ["nobody", "x*"]), ("b", ["a"])])
    assert found.order == ("a", "b")
    assert found.errors == ("Missing dependency: nobody", "Missing dependency: x*")


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ([("a", ["a"])], "Invalid step reference: Self-dependency of a"),
        ([("a", ["b"]), ("b", ["a"])], "Circular dependency: a -> b -> a"),
    ],
)
def test_steps_that_wait_for_each_other_have_no_order(
    steps: list[tuple[str, list[str]]], error: str
) -> None:
    found = order_steps(steps)
    assert (found.order, found.levels, found.errors) == ((), (), (error,))


def test_names_that_are_long_are_compared_within_limits() -> None:
    steps = [("a" * 10_000 + str(number), [f"*b{number}*"]) for number in range(400)]
    with pytest.raises(InvalidInputError, match="too many wildcards for names of such length"):
        order_steps(steps)


def test_no_steps_have_an_empty_order() -> None:
    assert order_steps([]).order == ()


def test_a_step_given_twice_is_told() -> None:
    assert order_steps([("a", []), ("a", [])]).errors == ("Duplicate step: a",)


def test_every_step_stands_after_all_it_waits_for() -> None:
    chance = random.Random(5)
    for _ in range(200):
        names = [f"s{number}" for number in range(chance.randint(1, 12))]
        steps = [(n, chance.sample(names[:i], min(i, chance.randint(0, 3)))) for i, n in
                 enumerate(names)]  # fmt: skip
        chance.shuffle(steps)
        found = order_steps(steps)
        place = {name: number for number, name in enumerate(found.order)}
        assert sorted(place) == sorted(names)
        assert all(place[other] < place[name] for name, others in steps for other in others)


@pytest.mark.parametrize(
    "steps",
    [
        [(f"s{number}", ["*"]) for number in range(1_500)],
        [(f"s{number}", [f"x{number}*"]) for number in range(4_000)],
    ],
)
def test_what_cannot_be_answered_in_seconds_is_refused(steps: list[tuple[str, list[str]]]) -> None:
    with pytest.raises(InvalidInputError, match="too many"):
        order_steps(steps)


def test_a_dependency_given_again_counts_once() -> None:
    steps = [(f"a{number}", list[str]()) for number in range(300)]
    found = order_steps([*steps, ("b", ["a*", "x"] * 10_000)])
    assert found.order[-1] == "b"
    assert found.errors == ("Missing dependency: x",)
