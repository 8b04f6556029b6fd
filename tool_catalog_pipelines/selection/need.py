"""What somebody needs: checked when it is written down, every problem at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.selection.context import is_number
from tool_catalog_pipelines.selection.policy import ALL_PERMISSIONS, PRODUCTION, Limits
from tool_catalog_pipelines.selection.preference import known_mode
from tool_catalog_pipelines.selection.scoring import checked_weights


class Way(NamedTuple):
    """One pattern of one capability of a tool, whatever its version."""

    tool: tuple[str, str]
    """Platform and name, case folded."""
    capability: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Need:
    """What must be done, and within which limits.

    Attributes:
        capabilities: any of these does; exact names.
        query: the request in words; tells the mode and the size.
        variables: what is known of the request, by the names that estimates use.
        metadata: counts that are known better than from words (context.py).
        mode: what matters most; wins over words.
        weights: wins over the mode; must sum to one.
        platform: only this platform, and tools for several.
        executable_only: leave out what this installation cannot execute.
        ways: only these compete; None lets every pattern of the capabilities compete.
        user: who asks; the unit of experiments by user.
        unit: the run or item, where an experiment assigns those.
    """

    capabilities: tuple[str, ...] = ()
    query: str = ""
    variables: Mapping[str, float] = field(default_factory=dict[str, float])
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    environment: str = PRODUCTION
    permissions: frozenset[str] = ALL_PERMISSIONS
    max_cost: float | None = None
    max_time_ms: float | None = None
    mode: str | None = None
    weights: Mapping[str, float] | None = None
    platform: str | None = None
    executable_only: bool = False
    ways: frozenset[Way] | None = None
    require_production_safe: bool = True
    user: str = ""
    unit: str | None = None

    def __post_init__(self) -> None:
        problems: list[Problem] = []
        for name, value in self.variables.items():
            if not is_number(value):
                hint = "give a finite number"
                problems.append(Problem(f"the variable {name} is {value!r}", hint=hint))
        for name, limit in (("max_cost", self.max_cost), ("max_time_ms", self.max_time_ms)):
            if limit is not None and not (is_number(limit) and limit >= 0):
                problems.append(Problem(f"{name} is {limit!r}", hint="a number from 0 on"))
        for check in (self._check_mode, self._check_weights):
            try:
                check()
            except InvalidInputError as error:
                problems += error.problems
        if problems:
            raise InvalidInputError(problems)

    @property
    def limits(self) -> Limits:
        """The limits that a policy is judged by."""
        return Limits(
            max_cost=self.max_cost,
            max_time_ms=self.max_time_ms,
            environment=self.environment,
            available_permissions=self.permissions,
            require_production_safe=self.require_production_safe,
        )

    def _check_mode(self) -> None:
        if self.mode:
            known_mode(self.mode)

    def _check_weights(self) -> None:
        if self.weights is not None:
            checked_weights(self.weights)
