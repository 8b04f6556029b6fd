"""Every pattern that can do what is needed, with its figures and features.

An index is made once for a snapshot and kept: tools are read when their capability is first asked
for, and figures that the request does not touch are computed once. Does not belong here: whether a
candidate may be used (policy.py) and who wins (choice.py).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from tool_catalog_pipelines.catalog.records import CatalogTool, Estimate
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.errors import NotFoundError, Problem
from tool_catalog_pipelines.selection.estimates import (
    Figure,
    Values,
    expected,
    figure,
    names_in,
    numbers,
    values_for,
)
from tool_catalog_pipelines.selection.need import Way
from tool_catalog_pipelines.selection.normalisation import normalise
from tool_catalog_pipelines.selection.scoring import FeatureRow, feature_row
from tool_catalog_pipelines.selection.success import History, SuccessRate, success_rate
from tool_catalog_pipelines.spec.tool import PatternSpec

_UNKNOWN = Estimate(None, None, "unknown")
MOST_HINTS = 20
"""Unknown capabilities of one request for which near ones are looked for."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One pattern of one tool version, as a request sees it.

    It keeps what the choice needs; the rest is worked out for those that are shown. A request may
    make a thousand of them, and every further object would bring Python's garbage collector nearer
    to walking over the whole catalogue.

    Attributes:
        names: the variables of both estimates.
        asked: variables of which the request says something, whether or not they are used here.
        expected_ms: one execution; None if it is unknown.
        expected_cost: one execution; None if it is unknown.
        row: the features that are scored.
    """

    tool: CatalogTool
    capability: str
    pattern_name: str
    pattern: PatternSpec
    estimate: Estimate
    success: SuccessRate | None
    names: frozenset[str]
    asked: Values
    expected_ms: float | None
    expected_cost: float | None
    row: FeatureRow

    @property
    def label(self) -> str:
        """`platform/name@version pattern`, for people."""
        return f"{self.tool.label} {self.pattern_name}"

    @property
    def short_name(self) -> str:
        """`tool.pattern`."""
        return f"{self.tool.header.tool_name}.{self.pattern_name}"

    @property
    def way(self) -> Way:
        """Which pattern of which tool it is."""
        return Way(self.tool.header.key, self.capability, self.pattern_name)

    @property
    def is_executable(self) -> bool:
        """Whether this installation can execute it."""
        return self.pattern.binding is not None and self.pattern.connection is None

    @property
    def values(self) -> Values:
        """The variables of its estimates, each with where its value comes from."""
        return values_for(self.names, self.pattern.variables, self.asked)

    @property
    def time_ms(self) -> Figure:
        """The expected time of one execution, with its basis."""
        return figure(
            self.estimate.time_ms, self.pattern.time_estimate_ms, self.estimate, self.values
        )

    @property
    def cost_units(self) -> Figure:
        """The expected cost of one execution, with its basis."""
        return figure(
            self.estimate.cost_units, self.pattern.cost_estimate, self.estimate, self.values
        )

    @property
    def raw(self) -> dict[str, float]:
        """What is known of the figures that are judged; time and cost until the first success."""
        return _raw(self.pattern, self.expected_ms, self.expected_cost, self.success)

    @property
    def features(self) -> dict[str, float]:
        """The features of the figures that are known."""
        return normalise(self.raw)

    @property
    def context(self) -> dict[str, float]:
        """Variables of the pattern that a policy may ask for: declared ones, time and cost."""
        known = {name: spec.default for name, spec in self.pattern.variables.items()}
        known |= {name: value.value for name, value in self.values.items()}
        figures = (("time_ms", self.expected_ms), ("cost", self.expected_cost))
        return known | {name: value for name, value in figures if value is not None}


@dataclass(frozen=True, slots=True)
class _Source:
    """What a candidate is made from, whatever the request."""

    tool: CatalogTool
    capability: str
    pattern_name: str
    pattern: PatternSpec
    estimate: Estimate
    success: SuccessRate | None
    names: frozenset[str]

    def candidate(self, asked: Values) -> Candidate:
        """The candidate as a request sees it."""
        known = numbers(values_for(self.names, self.pattern.variables, asked))
        expected_ms = expected(self.estimate.time_ms, known)
        expected_cost = expected(self.estimate.cost_units, known)
        raw = _raw(self.pattern, expected_ms, expected_cost, self.success)
        return Candidate(
            tool=self.tool,
            capability=self.capability,
            pattern_name=self.pattern_name,
            pattern=self.pattern,
            estimate=self.estimate,
            success=self.success,
            names=self.names,
            asked=asked,
            expected_ms=expected_ms,
            expected_cost=expected_cost,
            row=feature_row(normalise(raw)),
        )


_Entry = tuple[_Source, Candidate]
"""With the candidate as a request sees it that says nothing about its variables."""


class CandidateIndex:
    """The candidates of one snapshot, by capability."""

    def __init__(self, snapshot: CatalogSnapshot, history: History | None = None) -> None:
        """Prepare; tools are read when they are asked for.

        Args:
            snapshot: the catalogue as who asks sees it.
            history: successes and failures of patterns, where they are known.
        """
        self.snapshot = snapshot
        self._history = history or {}
        self._entries: dict[str, tuple[_Entry, ...]] = {}

    @cached_property
    def capabilities(self) -> Mapping[str, tuple[CatalogTool, ...]]:
        """The usable tools of every capability."""
        found: dict[str, list[CatalogTool]] = {}
        for tool in self.snapshot.latest:
            if tool.header.is_usable:
                for capability in tool.document()["capabilities"]:
                    found.setdefault(capability, []).append(tool)
        return {name: tuple(tools) for name, tools in found.items()}

    def candidates(
        self, capabilities: Iterable[str], asked: Values, platform: str | None = None
    ) -> list[Candidate]:
        """Every pattern of any of these capabilities.

        Args:
            capabilities: their exact names; candidates of all of them compete.
            asked: variables of which the request says something.
            platform: only this one and tools for several.

        Raises:
            NotFoundError: no usable tool has one of these capabilities.
        """
        wanted = tuple(dict.fromkeys(capabilities))
        self._check(wanted)
        platforms = None if platform is None else (platform, "multi-platform")
        touched = asked.keys()
        return [
            untouched if source.names.isdisjoint(touched) else source.candidate(asked)
            for capability in wanted
            for source, untouched in self._of(capability)
            if platforms is None or source.tool.header.platform in platforms
        ]

    def in_version(
        self, candidate: Candidate, tool: CatalogTool, asked: Values
    ) -> Candidate | None:
        """The same pattern in another version of the tool; None if that version lacks it."""
        capability = tool.spec.capabilities.get(candidate.capability)
        pattern = capability.patterns.get(candidate.pattern_name) if capability else None
        if pattern is None:
            return None
        source, _ = self._entry(tool, candidate.capability, candidate.pattern_name, pattern)
        return source.candidate(asked)

    def _check(self, wanted: tuple[str, ...]) -> None:
        unknown = [name for name in wanted if name not in self.capabilities]
        problems = [  # looking for near names takes long: thousands of them are no typing mistakes
            Problem(
                f"no usable tool has the capability {name!r}",
                hint=self._near(name) if number < MOST_HINTS else "",
            )
            for number, name in enumerate(unknown)
        ]
        if problems:
            raise NotFoundError(problems)

    def _near(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.capabilities, n=3)
        return f"near: {', '.join(near)}" if near else "`tool-catalog capabilities` lists all"

    def _of(self, capability: str) -> tuple[_Entry, ...]:
        if capability not in self._entries:
            self._entries[capability] = tuple(
                self._entry(tool, capability, name, pattern)
                for tool in self.capabilities[capability]
                for name, pattern in tool.spec.capabilities[capability].patterns.items()
            )
        return self._entries[capability]

    def _entry(self, tool: CatalogTool, capability: str, name: str, pattern: PatternSpec) -> _Entry:
        estimate = tool.estimates.get((capability, name), _UNKNOWN)
        success = success_rate(self._history.get((tool.label, f"{capability}/{name}")))
        names = names_in(estimate)
        source = _Source(tool, capability, name, pattern, estimate, success, names)
        return source, source.candidate({})


def _raw(
    pattern: PatternSpec,
    expected_ms: float | None,
    expected_cost: float | None,
    success: SuccessRate | None,
) -> dict[str, float]:
    rate = success.rate if success else 1.0
    raw: dict[str, float] = {}
    if expected_ms is not None:
        raw["time_ms"] = expected_ms / rate
    if expected_cost is not None:
        raw["cost"] = expected_cost / rate
    raw["complexity"] = pattern.complexity_score
    raw["accuracy"] = pattern.preference_match.accuracy
    raw["completeness"] = pattern.preference_match.completeness
    return raw
