"""Every rule of a policy: when it is broken, hard or soft, and that relaxing one removes nobody."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.selection.policy import Limits, judge
from tool_catalog_pipelines.spec.tool import PolicySpec

PLAIN = PolicySpec()


def broken(
    policy: dict[str, Any] | None = None,
    limits: Limits | None = None,
    time_ms: float | None = 10,
    cost: float | None = 1,
    context: dict[str, Any] | None = None,
) -> list[tuple[str, str]]:
    spec = PolicySpec.model_validate(policy or {})
    verdict = judge(spec, limits or Limits(), time_ms, cost, context or {})
    return [(violation.rule, violation.severity) for violation in verdict.violations]


COST = [("cost_exceeded", "hard")]
TIME = [("time_limit_exceeded", "hard")]
BACKGROUND = [("background_required", "soft")]
MANY = [("max_n_immediate_exceeded", "soft")]
APPROVAL = [("requires_approval", "soft")]


@pytest.mark.parametrize(
    ("policy", "more", "expected"),
    [
        ({}, {}, []),
        ({}, {"limits": Limits(max_cost=1)}, []),
        ({}, {"limits": Limits(max_cost=0.9)}, COST),
        ({}, {"limits": Limits(max_cost=0), "cost": None}, []),
        ({"max_cost": 0.5}, {}, COST),
        ({"max_cost": 0.5}, {"limits": Limits(max_cost=0.5)}, COST + COST),
        ({"production_safe": False}, {}, [("not_production_safe", "hard")]),
        ({"production_safe": False}, {"limits": Limits(environment="staging")}, []),
        ({"production_safe": False}, {"limits": Limits(require_production_safe=False)}, []),
        ({"required_permissions": ["read", "fly"]}, {}, [("missing_permission", "hard")]),
        ({"required_permissions": ["read"]}, {}, []),
        ({"allowed_environments": ["staging"]}, {}, [("environment_mismatch", "hard")]),
        ({"allowed_environments": []}, {}, [("environment_mismatch", "hard")]),
        ({"allowed_environments": ["production"]}, {}, []),
        ({}, {"limits": Limits(max_time_ms=10)}, []),
        ({}, {"limits": Limits(max_time_ms=9)}, TIME),
        ({}, {"limits": Limits(max_time_ms=9), "time_ms": None}, TIME),
        ({"max_execution_time_s": 0.005}, {}, [("execution_time_exceeded", "hard")]),
        ({"max_execution_time_s": 0.01}, {}, []),
        ({"requires_background_if": "N > 50"}, {"context": {"N": 51}}, BACKGROUND),
        ({"requires_background_if": "N > 50"}, {"context": {"N": 50}}, []),
        ({"requires_background_if": "N - 50"}, {"context": {"N": 49}}, BACKGROUND),
        ({"requires_background_if": "N > 50"}, {}, BACKGROUND),
        ({"requires_background_if": "N >"}, {"context": {"N": 1}}, BACKGROUND),
        ({"max_N_immediate": 5}, {"context": {"N": 5}}, []),
        ({"max_N_immediate": 5}, {"context": {"N": 6}}, MANY),
        ({"max_N_immediate": 5}, {}, MANY),
        ({"max_N_immediate": 5}, {"context": {"N": math.nan}}, MANY),
        ({"max_N_immediate": 5}, {"context": {"N": True}}, MANY),
        ({"max_N_immediate": 5}, {"context": {"N": 10**400}}, MANY),
        ({"requires_approval": True}, {}, APPROVAL),
        ({"required_permissions": ["admin"]}, {}, APPROVAL),
        ({"required_permissions": ["admin"], "requires_approval": True}, {}, APPROVAL),
        ({"required_permissions": ["admin"]},
         {"limits": Limits(require_approval_for_elevated=False)}, []),
    ],
)  # fmt: skip
def test_rules(
    policy: dict[str, Any], more: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert broken(policy, **more) == expected


def test_a_soft_violation_does_not_refuse_and_asks_for_approval() -> None:
    verdict = judge(PLAIN.model_copy(update={"requires_approval": True}), Limits(), 1, 1, {})
    assert verdict.is_allowed
    assert verdict.requires_approval
    assert verdict.reason == ""


def test_all_hard_reasons_are_told() -> None:
    policy = PolicySpec(production_safe=False, allowed_environments=("staging",))
    verdict = judge(policy, Limits(max_cost=1), 1, 2, {})
    assert not verdict.is_allowed
    assert verdict.reason.count(";") == 2


@given(
    st.builds(
        PolicySpec,
        max_cost=st.none() | st.floats(0, 10),
        production_safe=st.booleans(),
        allowed_environments=st.none() | st.lists(st.sampled_from(["production", "staging"])),
        required_permissions=st.lists(st.sampled_from(["read", "admin", "fly"])),
        max_execution_time_s=st.none() | st.floats(0.001, 10),
    ),
    st.floats(0, 10) | st.none(),
    st.floats(0, 1e5) | st.none(),
    st.floats(0, 10),
    st.floats(0, 1e5),
)
def test_relaxing_a_policy_never_removes_a_candidate(
    policy: PolicySpec, cost: float | None, time_ms: float | None, limit: float, longest: float
) -> None:
    tight = Limits(max_cost=limit, max_time_ms=longest)

    def is_allowed(policy: PolicySpec, limits: Limits) -> bool:
        return judge(policy, limits, time_ms, cost, {}).is_allowed

    relaxed_limits = [
        replace(tight, max_cost=None),
        replace(tight, max_cost=limit + 1),
        replace(tight, max_time_ms=None),
        replace(tight, max_time_ms=longest + 1),
        replace(tight, require_production_safe=False),
        replace(tight, available_permissions=tight.available_permissions | {"fly"}),
    ]
    relaxed_policies = [
        policy.model_copy(update=change)
        for change in (
            {"max_cost": None},
            {"production_safe": True},
            {"allowed_environments": None},
            {"required_permissions": ()},
            {"max_execution_time_s": None},
        )
    ]
    if is_allowed(policy, tight):
        assert all(is_allowed(policy, limits) for limits in relaxed_limits)
        assert all(is_allowed(relaxed, tight) for relaxed in relaxed_policies)
