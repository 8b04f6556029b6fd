"""Which arm of an experiment a unit belongs to: the same in every process, for ever.

Does not belong here: who is a unit, and which experiment holds (exposure.py).
"""

from __future__ import annotations

import hashlib
from typing import Literal

Arm = Literal["a", "b"]


def assign_arm(experiment: str, unit: str, traffic_split: float) -> Arm:
    """The arm of a unit; `traffic_split` is the share of units in arm b (0 to 1).

    The first eight bytes of a SHA-256 hash, read as a fraction of 2**64, are uniform over units
    and independent between experiments.
    """
    digest = hashlib.sha256(f"{experiment}\0{unit}".encode()).digest()
    fraction = int.from_bytes(digest[:8], "big") / 2**64
    return "b" if fraction < traffic_split else "a"
