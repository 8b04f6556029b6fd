"""Arms: the split is honoured within binomial bounds, for a thousand experiments."""

from __future__ import annotations

import math

from tool_catalog_pipelines.selection.arms import assign_arm

UNITS = 1000
BOUND = 5.5
"""Standard deviations; a thousand fair experiments stay within with probability 0.99996."""


def test_the_hash_split_is_within_binomial_bounds_for_1000_experiments() -> None:
    for number in range(1000):
        split = (0.1, 0.25, 0.5, 0.8)[number % 4]
        share_b = sum(assign_arm(f"e{number}", f"u{unit}", split) == "b" for unit in range(UNITS))
        deviation = math.sqrt(UNITS * split * (1 - split))
        assert abs(share_b - UNITS * split) <= BOUND * deviation, number


def test_two_experiments_split_independently() -> None:
    both = sum(
        assign_arm("one", f"u{unit}", 0.5) == assign_arm("two", f"u{unit}", 0.5)
        for unit in range(10_000)
    )
    assert abs(both - 5000) <= BOUND * 50


def test_the_same_unit_always_gets_the_same_arm() -> None:
    arms = [assign_arm("faster_df", unit, 0.5) for unit in ("ann", "ben", "cid", "dee")]
    assert arms == [assign_arm("faster_df", unit, 0.5) for unit in ("ann", "ben", "cid", "dee")]
    assert assign_arm("e", "u", 0.0001) == "a"
