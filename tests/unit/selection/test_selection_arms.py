"""Arms: a deterministic hash of experiment and unit, fair for a thousand experiments.

The checks of fairness are functions that wrong ways to assign are held against too, so that it is
known that they can fail.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.selection.arms import assign_arm

Assign = Callable[[str, str, float], str]
SPLITS = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
UNITS = 2000
BOUND = 6.0
"""Standard deviations. Far tails of a binomial are wider than the normal's, at 0.01 most of all:
with 20 expected of 2,000, being 6 deviations off has a probability of 1e-7."""
GOLDEN = (
    ("faster_echo", "ann", "0f70e16e415d26ac"),
    ("faster_echo", "ben", "fae65058f6b7eb55"),
    ("folder_search", "run-1/searches/0", "c7971cc1ad37376e"),
    ("faster_echo", "größe/1", "112ae0b4f0b21de7"),
)
"""First 16 digits of `printf '%s\\0%s' EXPERIMENT UNIT | sha256sum`."""


def unfair_splits(assign: Assign) -> list[str]:
    """Experiments of a thousand whose share of arm b is out of its binomial bounds."""
    found: list[str] = []
    for number in range(1000):
        split = SPLITS[number % len(SPLITS)]
        in_b = sum(assign(f"e{number}", f"u{unit}", split) == "b" for unit in range(UNITS))
        if abs(in_b - UNITS * split) > BOUND * math.sqrt(UNITS * split * (1 - split)):
            found.append(f"e{number} ({split}): {in_b}")
    return found


def dependence(assign: Assign) -> float:
    """How far the chi-square statistics of pairs of experiments are above those of chance.

    Each pair gives a fourfold table of the units' arms, whose statistic has one degree of freedom;
    the sum over n pairs has mean n and variance 2n. The answer is in standard deviations.
    """
    pairs = list(combinations(range(20), 2))
    arms = [
        [assign(f"e{number}", f"u{unit}", (0.1, 0.5, 0.8)[number % 3]) for unit in range(UNITS)]
        for number in range(20)
    ]
    total = sum(chi_square(arms[one], arms[other]) for one, other in pairs)
    return (total - len(pairs)) / math.sqrt(2 * len(pairs))


def chi_square(one: list[str], other: list[str]) -> float:
    counts = Counter(zip(one, other, strict=True))
    rows, columns = Counter(one), Counter(other)
    expected = {(r, c): rows[r] * columns[c] / len(one) for r in "ab" for c in "ab"}
    return sum((counts[cell] - n) ** 2 / n for cell, n in expected.items())


def test_the_hash_split_is_within_binomial_bounds_for_1000_experiments() -> None:
    assert unfair_splits(assign_arm) == []


def test_the_arm_in_one_experiment_says_nothing_about_the_arm_in_another() -> None:
    assert abs(dependence(assign_arm)) <= BOUND


def shifted(experiment: str, unit: str, split: float) -> str:
    """Gives arm b a tenth too much."""
    return assign_arm(experiment, unit, split * 1.1)


def nameless(_experiment: str, unit: str, split: float) -> str:
    """Forgets the experiment: who is in arm b once is so everywhere."""
    return assign_arm("", unit, split)


def percent(experiment: str, unit: str, split: float) -> str:
    """Takes whole percents of a short sum, as a homemade hash would."""
    return "b" if sum(f"{experiment}{unit}".encode()) % 100 < split * 100 else "a"


@pytest.mark.parametrize("wrong", [shifted, percent])
def test_the_check_of_splits_notices_a_wrong_way_to_assign(wrong: Assign) -> None:
    assert unfair_splits(wrong) != []


def test_the_check_of_independence_notices_a_hash_without_the_experiment() -> None:
    assert unfair_splits(nameless) == [], "each split alone is fair"
    assert dependence(nameless) > 100


@pytest.mark.parametrize(("experiment", "unit", "digits"), GOLDEN)
def test_the_arm_is_that_of_the_hash(experiment: str, unit: str, digits: str) -> None:
    fraction = int(digits, 16) / 16**16
    assert assign_arm(experiment, unit, fraction - 1e-9) == "a"
    assert assign_arm(experiment, unit, fraction + 1e-9) == "b"


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")
@pytest.mark.parametrize(("experiment", "unit", "digits"), GOLDEN)
def test_the_hash_is_that_of_another_program(experiment: str, unit: str, digits: str) -> None:
    script = 'printf \'%s\\0%s\' "$0" "$1" | sha256sum'
    done = subprocess.run(
        ["sh", "-c", script, experiment, unit], capture_output=True, text=True, check=True
    )
    assert done.stdout[:16] == digits
    assert hashlib.sha256(f"{experiment}\0{unit}".encode()).hexdigest().startswith(digits)


def test_every_process_gives_a_unit_the_same_arm() -> None:
    script = (
        "import json; from tool_catalog_pipelines.selection.arms import assign_arm; "
        "print(json.dumps([assign_arm('faster_echo', f'u{n}', 0.5) for n in range(200)]))"
    )
    mine = [assign_arm("faster_echo", f"u{number}", 0.5) for number in range(200)]
    assert set(mine) == {"a", "b"}
    for seed in ("0", "1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == mine, seed


@given(st.text(max_size=40), st.floats(1e-6, 1 - 1e-6), st.floats(1e-6, 1 - 1e-6))
def test_a_larger_split_keeps_everybody_who_was_in_arm_b(
    unit: str, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    assert assign_arm("e", unit, low) == "a" or assign_arm("e", unit, high) == "b"


def test_a_split_that_is_raised_midway_moves_units_to_arm_b_only() -> None:
    units = [f"u{number}" for number in range(5000)]
    before = {unit for unit in units if assign_arm("e", unit, 0.1) == "b"}
    after = {unit for unit in units if assign_arm("e", unit, 0.5) == "b"}
    assert before < after
    assert 1800 < len(after - before) < 2200
