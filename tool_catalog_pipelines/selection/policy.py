"""What stands in the way of a pattern: its own policy and the limits of who asks.

Hard violations refuse a pattern, soft ones say how it must be executed. Rules that cannot be
decided count as violated. Does not belong here: the check at execution time (execution/policy.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tool_catalog_pipelines.expressions.condition import parse_condition
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.selection.context import is_number
from tool_catalog_pipelines.spec.tool import PolicySpec

PRODUCTION = "production"
Severity = Literal["hard", "soft"]
ALL_PERMISSIONS = frozenset({"read", "write", "execute", "admin"})
ELEVATED = frozenset({"admin", "root", "sudo"})
ADVICE: Mapping[str, str] = {
    "cost_exceeded": "raise --max-cost; a limit of the pattern's own is changed in its tool file",
    "not_production_safe": "if it will not run in production, say where: --environment staging",
    "missing_permission": "if you have these permissions, name all you have: --permission NAME",
    "environment_mismatch": "if it will run elsewhere, say where: --environment NAME",
    "time_limit_exceeded": "raise --max-time-ms",
    "execution_time_exceeded": "ask for less at a time (--var NAME=NUMBER)",
}
"""What who asks can do about each hard rule."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for who asks; a missing limit does not limit."""

    max_cost: float | None = None
    max_time_ms: float | None = None
    environment: str = PRODUCTION
    available_permissions: frozenset[str] = ALL_PERMISSIONS
    require_production_safe: bool = True
    require_approval_for_elevated: bool = True


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that is broken, and how."""

    rule: str
    severity: Severity
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything that stands in the way, hard violations first."""

    violations: tuple[Violation, ...] = ()

    @property
    def is_allowed(self) -> bool:
        """Whether no hard rule is broken."""
        return not self.violations or all(one.severity == "soft" for one in self.violations)

    @property
    def requires_approval(self) -> bool:
        """Whether a soft rule is broken, so that somebody should look at it first."""
        return any(violation.severity == "soft" for violation in self.violations)

    @property
    def rules(self) -> frozenset[str]:
        """The names of the broken rules."""
        return frozenset(violation.rule for violation in self.violations)

    @property
    def reason(self) -> str:
        """Why it is refused; empty if it is not."""
        hard = (v.message for v in self.violations if v.severity == "hard")
        return "; ".join(hard)


def judge(
    policy: PolicySpec,
    limits: Limits,
    time_ms: float | None,
    cost: float | None,
    context: Mapping[str, Any],
) -> Verdict:
    """Hold a pattern against its policy and the limits.

    Args:
        policy: of the pattern.
        limits: of who asks.
        time_ms: expected time of one execution; None if unknown.
        cost: expected cost units of one execution; None, if unknown, counts as no cost.
        context: variables for `requires_background_if` and `max_N_immediate`.
    """
    hard = [*_hard(policy, limits, time_ms, cost)]
    soft = [*_background(policy, context), *_approval(policy, limits)]
    if not hard and not soft:
        return _FINE
    violations = [Violation(rule, "hard", message) for rule, message in hard]
    violations += [Violation(rule, "soft", message) for rule, message in soft]
    return Verdict(tuple(violations))


def is_refused(
    policy: PolicySpec, limits: Limits, time_ms: float | None, cost: float | None
) -> bool:
    """Whether a pattern breaks a hard rule; arguments as of `judge`."""
    return next(_hard(policy, limits, time_ms, cost), None) is not None


_FINE = Verdict()
_Broken = Iterator[tuple[str, str]]


def _hard(policy: PolicySpec, limits: Limits, time_ms: float | None, cost: float | None) -> _Broken:
    yield from _cost(policy, limits, cost or 0.0)
    yield from _place(policy, limits)
    yield from _time(policy, limits, time_ms)


def _cost(policy: PolicySpec, limits: Limits, cost: float) -> _Broken:
    if limits.max_cost is not None and cost > limits.max_cost:
        yield "cost_exceeded", f"the cost {cost:g} is above the limit {limits.max_cost:g}"
    if policy.max_cost is not None and cost > policy.max_cost:
        message = f"the cost {cost:g} is above {policy.max_cost:g}, the pattern's own max_cost"
        yield "cost_exceeded", message


def _place(policy: PolicySpec, limits: Limits) -> _Broken:
    environment = limits.environment
    if limits.require_production_safe and environment == PRODUCTION and not policy.production_safe:
        yield "not_production_safe", "it is not marked as safe in production"
    needed = policy.required_permissions
    missing = sorted(set(needed) - limits.available_permissions) if needed else ()
    if missing:
        yield "missing_permission", f"it needs the permissions {', '.join(missing)}"
    allowed = policy.allowed_environments
    if allowed is not None and environment not in allowed:
        where = ", ".join(allowed) or "none"
        yield "environment_mismatch", f"it is not allowed in {environment}, only in: {where}"


def _time(policy: PolicySpec, limits: Limits, time_ms: float | None) -> _Broken:
    if limits.max_time_ms is not None:
        if time_ms is None:
            message = f"its time is unknown, and {limits.max_time_ms:g} ms must not be exceeded"
            yield "time_limit_exceeded", message
        elif time_ms > limits.max_time_ms:
            message = f"the time {time_ms:g} ms is above the limit {limits.max_time_ms:g} ms"
            yield "time_limit_exceeded", message
    longest_s = policy.max_execution_time_s
    if longest_s is not None and time_ms is not None and time_ms > 1000 * longest_s:
        message = f"the time {time_ms:g} ms is above max_execution_time_s {longest_s:g}"
        yield "execution_time_exceeded", message


def _background(policy: PolicySpec, context: Mapping[str, Any]) -> _Broken:
    if policy.requires_background_if is not None:
        why = _holds(policy.requires_background_if, context)
        if why:
            yield "background_required", f"it must run in the background: {why}"
    most = policy.max_n_immediate
    if most is not None:
        count = context.get("N")
        if not isinstance(count, int | float) or not is_number(count):
            message = f"N is not known, and above {most:g} it must run in the background"
            yield "max_n_immediate_exceeded", message
        elif count > most:
            message = f"N is {count:g}; above {most:g} it must run in the background"
            yield "max_n_immediate_exceeded", message


def _holds(condition: str, context: Mapping[str, Any]) -> str:
    """Why a condition holds or cannot be decided; empty if it does not hold."""
    try:
        verdict = parse_condition(condition).evaluate(context)
    except ExpressionError as error:
        return f"{condition!r} cannot be read: {error.message}"
    if not verdict.violates_policy:
        return ""
    if verdict.value is None:
        return f"{condition!r} cannot be decided ({verdict.because})"
    return f"{condition!r} holds ({verdict.because})"


def _approval(policy: PolicySpec, limits: Limits) -> _Broken:
    if policy.requires_approval:
        yield "requires_approval", "somebody has to approve it first"
    elif policy.required_permissions and limits.require_approval_for_elevated:
        elevated = sorted(ELEVATED.intersection(policy.required_permissions))
        if elevated:
            message = f"it needs elevated permissions ({', '.join(elevated)}), so an approval"
            yield "requires_approval", message
