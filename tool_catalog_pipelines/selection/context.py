"""The size of a request, estimated from its words: how many things, how many pages.

Words count as whole words: "call" is not "all", "phone" is not "one". Does not belong here: the
variables that a tool declares (variables.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from tool_catalog_pipelines.errors import InvalidInputError, Problem

DEFAULTS: Mapping[str, float] = {"N": 100.0, "pages": 1.0, "p95_latency": 1000.0}
"""What is assumed of a request that says nothing."""
METADATA: Mapping[str, str] = {
    "asset_count": "N",
    "page_count": "pages",
    "p95_latency": "p95_latency",
}
"""Known facts about a request, and the variable that each of them sets."""
_RULES: tuple[tuple[re.Pattern[str], str, float], ...] = (
    (re.compile(r"\b(?:all|every|everything|everyone|everybody|everywhere)\b"), "N", 1000.0),
    (re.compile(r"\b(?:single|one)\b"), "N", 1.0),
    (re.compile(r"\b(?:pages?|paged|paging|paginat(?:e|es|ed|ing|ion))\b"), "pages", 5.0),
)
"""Later rules win: "every single one" is one."""


@dataclass(frozen=True, slots=True)
class EstimatedContext:
    """Variables with the reason for each value: a word, a fact that was given, or `assumed`."""

    variables: Mapping[str, float]
    sources: Mapping[str, str]

    @property
    def told(self) -> Mapping[str, float]:
        """Only what the request really said."""
        return {
            name: value for name, value in self.variables.items() if self.sources[name] != "assumed"
        }


def context_of(query: str, metadata: Mapping[str, Any] | None = None) -> EstimatedContext:
    """Estimate the variables of a request.

    Args:
        query: what somebody wants, in words.
        metadata: what is known better: `asset_count`, `page_count`, `p95_latency`; other keys are
            about something else and ignored.

    Raises:
        InvalidInputError: one of these is not a number from 0 on.
    """
    variables = dict(DEFAULTS)
    sources = dict.fromkeys(DEFAULTS, "assumed")
    lowered = query.lower()
    for pattern, name, value in _RULES:
        if match := pattern.search(lowered):
            variables[name] = value
            sources[name] = f"the word {match[0]!r}"
    for key, value in _known(metadata or {}).items():
        variables[METADATA[key]] = value
        sources[METADATA[key]] = key
    return EstimatedContext(variables, sources)


def _known(metadata: Mapping[str, Any]) -> dict[str, float]:
    known = {key: metadata[key] for key in METADATA if metadata.get(key) is not None}
    problems = [
        Problem(f"{key} is {value!r}, which is no number from 0 on", hint="give a count")
        for key, value in known.items()
        if not is_number(value) or value < 0
    ]
    if problems:
        raise InvalidInputError(problems)
    return {key: float(value) for key, value in known.items()}


def is_number(value: object) -> bool:
    """Whether a value is a finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(cast("float", value))
    except OverflowError:
        return False
