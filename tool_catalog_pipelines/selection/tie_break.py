"""Asking somebody else, such as a language model, which of two candidates that are too close.

Whatever goes wrong with the answer, the deterministic order holds. Does not belong here: the
client that is asked; it gets a prompt and a time limit and returns a text. One registers under
the entry point group `tool_catalog_pipelines.tie_breakers`.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from importlib.metadata import entry_points
from threading import Thread
from typing import Any, cast

from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.selection.candidates import Candidate

GROUP = "tool_catalog_pipelines.tie_breakers"
TIMEOUT_S = 3.0
TieBreaker = Callable[[str, float], str]
"""Takes a prompt and a time limit in seconds; returns the answer. A late one is not read."""
_FENCE = re.compile(r"^\s*```(?:json)?\s*|\s*```\s*$")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Decision:
    """Which of the two (0 or 1), and why."""

    index: int
    justification: str


def find_tie_breaker(name: str) -> TieBreaker | None:
    """The tie-breaker of that name; nobody for the empty one.

    Raises:
        InvalidInputError: nobody registered one under the name.
    """
    if not name:
        return None
    registered = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in registered:
        raise InvalidInputError.one(
            f"TOOL_CATALOG_TIE_BREAKER cannot be {name!r}",
            f"known: {', '.join(sorted(registered)) or 'none is installed'}",
        )
    return registered[name].load()


def decide(
    ask: TieBreaker,
    query: str,
    first: Candidate,
    second: Candidate,
    timeout_s: float = TIMEOUT_S,
) -> Decision | None:
    """The decision between two candidates; None where no proper answer comes in time."""
    try:
        return decision_in(_in_time(ask, prompt_of(query, first, second), timeout_s))
    except Exception as error:  # a plug-in may fail in any way, and must not stop the selection
        _LOG.warning("the tie is broken by the order instead: %s", error)
        return None


def _in_time(ask: TieBreaker, prompt: str, timeout_s: float) -> str:
    """The answer; one that is late is left to itself in its thread, which ends with the process."""
    answer: Future[str] = Future()

    def run() -> None:
        try:
            answer.set_result(ask(prompt, timeout_s))
        except BaseException as error:  # whatever a plug-in raises is told to who waits
            answer.set_exception(error)

    Thread(target=run, name="tie-breaker", daemon=True).start()
    try:
        return answer.result(timeout_s)
    except TimeoutError:
        raise TimeoutError(f"no answer within {timeout_s:g} s") from None


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
