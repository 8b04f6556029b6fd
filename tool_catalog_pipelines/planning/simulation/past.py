"""What a simulation knows of the past: executions of tools, runs of the chain.

Records only; judgement/chain_past.py reads them. Does not belong here: what follows from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PatternUse = tuple[str, str, str]
"""`platform/name@version`, capability, pattern."""


@dataclass(frozen=True, slots=True)
class PastExecution:
    """One step or item of the past, from its first attempt to the end of its last one.

    Attributes:
        has_succeeded: whether the last attempt did, with or without a result.
        elapsed_ms: with all attempts and the waits between them.
        cost_units: of all attempts; None if not measured.
        before: variables of the estimate as known beforehand.
        measured: those that could be measured afterwards.
    """

    run_id: str
    chain: str
    step: str
    has_succeeded: bool
    elapsed_ms: float
    cost_units: float | None = None
    before: Mapping[str, float] = field(default_factory=dict[str, float])
    measured: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class PastStep:
    """One tool step of one past run; moments are milliseconds since the run began.

    `items` is 0 for a step that was skipped and 1 for one without a list; `work_ms` adds up the
    items.
    """

    items: int
    started_ms: float
    finished_ms: float
    work_ms: float


@dataclass(frozen=True, slots=True)
class PastRun:
    """One past run of a chain, by the steps that left facts."""

    run_id: str
    steps: Mapping[str, PastStep]


@dataclass(frozen=True, slots=True)
class Correlation:
    """How alike executions are, on the scale of normal scores, from 0 to 1.

    Attributes:
        of_steps: two steps of one run.
        of_items: two items of one step of one run; at least `of_steps`.
    """

    of_steps: float = 0.0
    of_items: float = 0.0


@dataclass(frozen=True, slots=True)
class ChainPast:
    """The past that a forecast rests on.

    Attributes:
        executions: the newest ones of every pattern that the chain uses.
        runs: the newest runs of the chain with the plan as it is now.
        start_delays_ms: how long steps of any chains waited after the step before them; used
            while the chain has too few runs with all the steps that it has now.
        correlation: of executions that share a run.
        ended: how many of the newest runs of the chain have ended, as far as it is known.
        succeeded: how many of those succeeded.
    """

    executions: Mapping[PatternUse, tuple[PastExecution, ...]] = field(
        default_factory=dict[PatternUse, tuple[PastExecution, ...]]
    )
    runs: tuple[PastRun, ...] = ()
    start_delays_ms: tuple[float, ...] = ()
    correlation: Correlation = Correlation()
    ended: int = 0
    succeeded: int = 0
