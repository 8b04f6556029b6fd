"""Asking somebody else, such as a language model, which of two candidates that are too close.

Whatever goes wrong with the answer, the deterministic order holds. Does not belong here: the
client that is asked; it gets a prompt and a time limit and returns a text.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from tool_catalog_pipelines.selection.candidates import Candidate

TIMEOUT_S = 3.0
TieBreaker = Callable[[str, float], str]
"""Takes a prompt and a time limit in seconds, which it must keep; returns the answer."""
_FENCE = re.compile(r"^\s*```(?:json)?\s*|\s*```\s*$")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Decision:
    """Which of the two (0 or 1), and why."""

    index: int
    justification: str


def decide(ask: TieBreaker, query: str, first: Candidate, second: Candidate) -> Decision | None:
    """The decision between two candidates; None where no proper answer comes."""
    try:
        answer = ask(prompt_of(query, first, second), TIMEOUT_S)
        return decision_in(answer)
    except Exception as error:  # a plug-in may fail in any way, and must not stop the selection
        _LOG.warning("the tie is broken by the order instead: %s", error)
        return None


def prompt_of(query: str, first: Candidate, second: Candidate) -> str:
    """The question, with the true figures of both."""
    return "\n".join(
        (
            "Two tools fit a request about equally well. Choose one.",
            f"Request: {query}",
            f"A: {_described(first)}",
            f"B: {_described(second)}",
            'Answer with JSON only: {"choice": "A" or "B", "justification": "one sentence"}',
        )
    )


def decision_in(answer: str) -> Decision:
    """Read an answer, with or without a code fence around it.

    Raises:
        ValueError: it is no JSON object with a choice A or B and a justification.
    """
    document: Any = json.loads(_FENCE.sub("", answer.strip()))
    is_object = isinstance(document, dict)
    fields: dict[str, Any] = cast("dict[str, Any]", document) if is_object else {}
    choice, justification = fields.get("choice"), fields.get("justification")
    if not isinstance(choice, str) or choice.strip().upper() not in ("A", "B"):
        raise ValueError(f"the choice is {choice!r}")
    if not isinstance(justification, str) or not justification.strip():
        raise ValueError("there is no justification")
    return Decision("AB".index(choice.strip().upper()), justification.strip())


def _described(candidate: Candidate) -> str:
    time_ms, cost = candidate.time_ms.value, candidate.cost_units.value
    match = candidate.pattern.preference_match
    parts = (
        f"{candidate.label}: {candidate.pattern.description}",
        "time unknown" if time_ms is None else f"time {time_ms:g} ms",
        "cost unknown" if cost is None else f"cost {cost:g}",
        f"accuracy {match.accuracy:g}",
        f"completeness {match.completeness:g}",
        f"complexity {candidate.pattern.complexity_score:g}",
    )
    return "; ".join(parts)
