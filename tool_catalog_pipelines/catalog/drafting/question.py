"""One question as data: what is asked, what a typed line means, which answers are wrong.

Does not belong here: which questions there are (questions.py), what comes of the answers
(draft.py), the order of a conversation (dialogue.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tool_catalog_pipelines.catalog.drafting import lines
from tool_catalog_pipelines.catalog.drafting.known import Known
from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.spec.base import JsonValue, TypeName

Answers = Mapping[str, JsonValue]
"""Answers by the key of the question, as JSON; None where a question was left open."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What was answered before a question, and what is known."""

    answers: Answers
    known: Known

    def text(self, key: str) -> str:
        """An answer that is a text; empty if there is none."""
        value = self.answers.get(key)
        return value if isinstance(value, str) else ""


def _always(now: Situation) -> bool:
    del now
    return True


def _nothing(now: Situation) -> JsonValue:
    del now


def _fine(value: JsonValue, now: Situation) -> Problem | None:
    del value, now
    return None


def _pairs(text: str, now: Situation) -> JsonValue:
    del now
    return lines.read_pairs(text)


def _as_typed(text: str, now: Situation) -> JsonValue:
    del now
    return text


@dataclass(frozen=True, slots=True)
class Question:
    """A question about the tool.

    Attributes:
        key: where the answer stands; dots lead inside in a file of answers.
        text: what is asked.
        help: more words, for whoever types `?`.
        type: what the answer must be; None for anything.
        is_optional: may be left open.
        applies: is it asked, after these answers?
        default: the answer of whoever types nothing; None if there is none.
        read: a typed line as answer; a ValueError says `what is wrong; what to do`.
        show: an answer as it would be typed.
        check: what is wrong with an answer beyond the rules of tool files.
        echo: what is said of an accepted answer.
    """

    key: str
    text: str
    help: str
    type: TypeName | None = "string"
    is_optional: bool = False
    applies: Callable[[Situation], bool] = _always
    default: Callable[[Situation], JsonValue] = _nothing
    read: Callable[[str, Situation], JsonValue] = _as_typed
    show: Callable[[JsonValue], str] = str
    check: Callable[[JsonValue, Situation], Problem | None] = _fine
    echo: Callable[[JsonValue, Situation], str] | None = None


@dataclass(frozen=True, slots=True)
class PairsQuestion(Question):
    """A question that is answered with `name=value` pairs."""

    type: TypeName | None = "object"
    read: Callable[[str, Situation], JsonValue] = _pairs
    show: Callable[[JsonValue], str] = lines.shown_pairs
