"""Candidates with what stands in their way, written out when somebody looks at them.

A thousand may compete and a handful is shown. Does not belong here: the rules (policy.py), the
order (scoring.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from tool_catalog_pipelines.selection.candidates import Candidate
from tool_catalog_pipelines.selection.policy import Limits, Verdict, is_refused, judge


@dataclass(frozen=True, slots=True)
class Demands:
    """What a request holds every pattern against.

    Attributes:
        limits: of who asks.
        assumed: variables for conditions, as far as the pattern knows nothing better.
        told: variables that the request gave, which win over those of the pattern.
    """

    limits: Limits
    assumed: Mapping[str, Any]
    told: Mapping[str, float]

    def refuse(self, candidate: Candidate) -> bool:
        """Whether something hard stands in the way of a candidate."""
        return is_refused(
            candidate.pattern.policy, self.limits, candidate.expected_ms, candidate.expected_cost
        )

    def verdict(self, candidate: Candidate) -> Verdict:
        """Everything that stands in the way of a candidate."""
        policy = candidate.pattern.policy
        is_asking = policy.requires_background_if is not None or policy.max_n_immediate is not None
        known = {**self.assumed, **candidate.context, **self.told} if is_asking else {}
        return judge(policy, self.limits, candidate.expected_ms, candidate.expected_cost, known)


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate, what stands in its way, and its score if nothing hard does."""

    candidate: Candidate
    verdict: Verdict
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class JudgedCandidates(Sequence[Judged]):
    """Candidates in an order; a verdict is reached for those that are looked at."""

    candidates: tuple[Candidate, ...]
    scores: tuple[float, ...]
    demands: Demands

    def __len__(self) -> int:
        return len(self.candidates)

    @overload
    def __getitem__(self, index: int) -> Judged: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Judged, ...]: ...
    def __getitem__(self, index: int | slice) -> Judged | tuple[Judged, ...]:
        """One of them, or several."""
        if isinstance(index, slice):
            return tuple(self[number] for number in range(len(self))[index])
        candidate = self.candidates[index]
        return Judged(candidate, self.demands.verdict(candidate), self.scores[index])
