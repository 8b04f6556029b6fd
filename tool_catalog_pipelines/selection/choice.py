"""From a need to a choice: candidates, policy, score, closeness, tie-break.

Deterministic: the same need on the same snapshot gives the same choice. Does not belong here: the
words for it (sentences.py), finding the capability that words mean (capability.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.selection.ambiguity import Closeness, closeness
from tool_catalog_pipelines.selection.candidates import Candidate, CandidateIndex
from tool_catalog_pipelines.selection.context import DEFAULTS, EstimatedContext, context_of
from tool_catalog_pipelines.selection.estimates import Value
from tool_catalog_pipelines.selection.execution_mode import (
    ExecutionMode,
    SlaClass,
    execution_mode,
    sla_class,
)
from tool_catalog_pipelines.selection.exposure import Exposure
from tool_catalog_pipelines.selection.judged import Demands, Judged, JudgedCandidates
from tool_catalog_pipelines.selection.need import Need
from tool_catalog_pipelines.selection.policy import ADVICE
from tool_catalog_pipelines.selection.preference import Preference, preference_of
from tool_catalog_pipelines.selection.scoring import (
    Weights,
    checked_weights,
    mode_weights,
    order_of,
    scores_of,
)
from tool_catalog_pipelines.selection.tie_break import Decision, TieBreaker, decide

ALTERNATIVES = 3


class NoChoiceError(InvalidInputError):
    """There is no candidate, or every one is refused; `refused` says which and why."""

    def __init__(self, problem: Problem, refused: Sequence[Judged] = ()) -> None:
        self.refused = refused
        super().__init__([problem])


@dataclass(frozen=True, slots=True)
class Choice:
    """The best candidate, all others in their order, and everything that led there.

    `exposure` and `drawn` are those of an experiment on the chosen tool (exposed_choice.py);
    `remarks` are what whoever asked should know besides.
    """

    need: Need
    preference: Preference
    context: EstimatedContext
    weights: Weights
    ranking: JudgedCandidates
    refused: JudgedCandidates
    closeness: Closeness
    decision: Decision | None = None
    exposure: Exposure | None = None
    drawn: Judged | None = None
    remarks: tuple[str, ...] = ()

    @property
    def chosen(self) -> Judged:
        """The first of the ranking."""
        return self.ranking[0]

    @property
    def given(self) -> Judged:
        """What is to be used: the chosen pattern, in the version of the arm where one is drawn."""
        return self.drawn or self.chosen

    @property
    def alternatives(self) -> tuple[Judged, ...]:
        """The next best."""
        return self.ranking[1 : 1 + ALTERNATIVES]

    @property
    def method(self) -> str:
        """`deterministic`, or `llm_tiebreaker` where somebody else was asked."""
        return "llm_tiebreaker" if self.decision else "deterministic"

    @property
    def execution_mode(self) -> ExecutionMode:
        """How it should be executed."""
        return execution_mode(self.given.candidate.time_ms.value, self.given.verdict.rules)

    @property
    def sla_class(self) -> SlaClass:
        """How long somebody will have to wait."""
        return sla_class(self.given.candidate.time_ms.value)


def select(need: Need, index: CandidateIndex, ask: TieBreaker | None = None) -> Choice:
    """Choose a tool, version and pattern.

    Args:
        need: what must be done; names at least one capability.
        index: the candidates of a snapshot.
        ask: decides between the first two when they are too close.

    Raises:
        NotFoundError: no usable tool has one of the capabilities.
        NoChoiceError: nothing is left after the filters or the policies.
        InvalidInputError: the need names no capability.
    """
    if not need.capabilities:
        raise InvalidInputError.one("nothing says what must be done", "name a capability")
    preference = preference_of(need.query, need.mode)
    context = context_of(need.query, need.metadata)
    candidates = index.candidates(need.capabilities, asked_values(need, context), need.platform)
    if need.ways is not None:
        candidates = [candidate for candidate in candidates if candidate.way in need.ways]
    if need.executable_only:
        candidates = [candidate for candidate in candidates if candidate.is_executable]
    if not candidates:
        raise _no_choice("no_candidates", "no viable tool was found", _loosened(need))
    demands = _demands(need, context)
    allowed, refused = _separated(candidates, demands)
    if not allowed:
        raise _all_refused(refused)
    weights = _weights(need, preference)
    ordered, scores = rank(allowed, weights)
    close = closeness(scores[:2], [one.features for one in ordered[:2]])
    decision = _asked(ask, need, ordered) if close.is_ambiguous else None
    if decision is not None and decision.index == 1:
        ordered[:2], scores[:2] = ordered[1::-1], scores[1::-1]
    ranking = JudgedCandidates(tuple(ordered), tuple(scores), demands)
    return Choice(need, preference, context, weights, ranking, refused, close, decision)


def asked_values(need: Need, context: EstimatedContext) -> dict[str, Value]:
    """Variables of which a need says something: what is given wins over what is heard."""
    told = {name: Value(value, context.sources[name]) for name, value in context.told.items()}
    return told | {name: Value(float(value), "given") for name, value in need.variables.items()}


def rank(candidates: Sequence[Candidate], weights: Weights) -> tuple[list[Candidate], list[float]]:
    """The candidates and their scores, best first."""
    scores = scores_of([one.row for one in candidates], weights)
    order = order_of(candidates, scores)
    return [candidates[index] for index in order], [scores[index] for index in order]


def _weights(need: Need, preference: Preference) -> Mapping[str, float]:
    return mode_weights(preference.mode) if need.weights is None else checked_weights(need.weights)


def _demands(need: Need, context: EstimatedContext) -> Demands:
    return Demands(
        limits=need.limits,
        assumed={**DEFAULTS, **context.variables, "environment": need.environment},
        told={**context.told, **need.variables},
    )


def _separated(
    candidates: Sequence[Candidate], demands: Demands
) -> tuple[list[Candidate], JudgedCandidates]:
    """Those that are allowed, and those that are refused."""
    allowed: list[Candidate] = []
    refused: list[Candidate] = []
    for candidate in candidates:
        (refused if demands.refuse(candidate) else allowed).append(candidate)
    return allowed, JudgedCandidates(tuple(refused), (0.0,) * len(refused), demands)


def _asked(ask: TieBreaker | None, need: Need, ordered: Sequence[Candidate]) -> Decision | None:
    return None if ask is None else decide(ask, need.query, ordered[0], ordered[1])


def _loosened(need: Need) -> str:
    filters = [f"platform {need.platform}"] if need.platform else []
    filters += ["what can be executed here"] if need.executable_only else []
    return f"leave out the filter for {' and '.join(filters)}" if filters else "name another one"


def _no_choice(code: str, message: str, hint: str) -> NoChoiceError:
    return NoChoiceError(Problem(message, hint=hint, code=code))


def _all_refused(refused: Sequence[Judged]) -> NoChoiceError:
    """Every candidate violates a policy: told by reason, with what can be done about each."""
    by_reason: dict[str, list[str]] = {}
    rules: set[str] = set()
    for one in refused:
        rules |= one.verdict.rules
        by_reason.setdefault(one.verdict.reason, []).append(one.candidate.label)
    told = [f"{_named(labels)}: {reason}" for reason, labels in by_reason.items()]
    more = f" | and {len(told) - 5} more reasons" if len(told) > 5 else ""
    message = f"every candidate violates a policy or your limits: {' | '.join(told[:5])}{more}"
    advice = "; or ".join(text for rule, text in ADVICE.items() if rule in rules)
    return NoChoiceError(Problem(message, hint=advice, code="all_refused"), refused)


def _named(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - 3} more" if len(labels) > 3 else ""
    return f"{', '.join(labels[:3])}{more}"
