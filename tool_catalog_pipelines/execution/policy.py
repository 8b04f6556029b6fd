"""What a pattern's policy forbids at execution time, and the time limit that holds.

Selection and approvals come with their own packages; here a forbidden execution is refused.
"""

from __future__ import annotations

from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.measures import Estimated
from tool_catalog_pipelines.spec.tool import PolicySpec


def check_policy(policy: PolicySpec, environment: str, estimate: Estimated) -> None:
    """Refuse what the policy forbids.

    Raises:
        AttemptError: of kind PolicyViolation, naming every rule that is broken.
    """
    broken: list[str] = []
    if policy.allowed_environments is not None and environment not in policy.allowed_environments:
        allowed = ", ".join(policy.allowed_environments) or "none"
        broken.append(f"the environment {environment} is not allowed (allowed: {allowed})")
    if environment == "production" and not policy.production_safe:
        broken.append("it is not safe in production")
    if policy.requires_approval:
        broken.append("it needs an approval, and approvals are not available yet")
    cost = estimate.cost_units
    if policy.max_cost is not None and cost is not None and cost > policy.max_cost:
        broken.append(f"the estimated cost {cost:g} exceeds max_cost {policy.max_cost:g}")
    if broken:
        raise AttemptError("PolicyViolation", "the policy forbids this: " + "; ".join(broken))


def time_limit_s(step_timeout_s: float | None, policy: PolicySpec, tool_timeout_s: float) -> float:
    """The stricter of the step's and the policy's limit; with neither the tool's own."""
    limits = [limit for limit in (step_timeout_s, policy.max_execution_time_s) if limit is not None]
    return min(limits, default=tool_timeout_s)
