"""A conversation about a new tool: the next question, answers checked at once, back, resumed.

Invariant: the tool of the answers so far has no problem. Does not belong here: a terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from tool_catalog_pipelines.catalog.drafting.draft import problems_of, spec_of
from tool_catalog_pipelines.catalog.drafting.known import Known
from tool_catalog_pipelines.catalog.drafting.question import Question, Situation
from tool_catalog_pipelines.catalog.drafting.questions import asked
from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.tool import ToolSpec
from tool_catalog_pipelines.spec.values import value_problem

NOTHING = "-"
"""Typed for `none` where a question may be left open."""
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"
"""Invisible, but several scripts cannot be written without them."""


def problems_with(question: Question, value: JsonValue, now: Situation) -> tuple[Problem, ...]:
    """Everything that is wrong with an answer after those before it."""
    if value is None:
        missing = Problem("an answer is needed", hint=question.help)
        return () if question.is_optional else (missing,)
    words = value_problem(value, question.type) if question.type is not None else None
    if words:
        return (Problem(f"it {words}", hint=question.help),)
    problem = question.check(value, now)
    if problem is not None:
        return (problem,)
    return problems_of(Situation({**now.answers, question.key: value}, now.known))


def problem_of(question: Question, value: JsonValue, now: Situation) -> Problem | None:
    """The first thing that is wrong with an answer, or None."""
    return next(iter(problems_with(question, value, now)), None)


def proposal_of(question: Question, now: Situation) -> JsonValue:
    """The default answer of a question; None if there is none that is right."""
    value = question.default(now)
    return value if value is not None and problem_of(question, value, now) is None else None


def reading_of(question: Question, text: str, now: Situation) -> JsonValue | Problem:
    """What a typed line means, or what is wrong with it."""
    if any(unicodedata.category(one) in _INVISIBLE and one not in _JOINERS for one in text):
        return Problem("the line holds an invisible character", hint="type it again")
    try:
        return question.read(text, now)
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        return Problem(message, hint=hint or question.help)


@dataclass
class Dialogue:
    """The state of a conversation.

    Attributes:
        known: what the questions know of this installation.
        answers: accepted answers, in the order in which they were given.
        remembered: earlier answers that were taken back, or could not be taken over.
    """

    known: Known
    answers: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    remembered: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])

    @property
    def now(self) -> Situation:
        """What the next question goes by."""
        return Situation(self.answers, self.known)

    @property
    def question(self) -> Question | None:
        """The question that comes next; None at the end."""
        return next((q for q in asked(self.now) if q.key not in self.answers), None)

    @property
    def progress(self) -> tuple[int, int]:
        """How many of the questions that apply by now are answered."""
        keys = [question.key for question in asked(self.now)]
        return sum(key in self.answers for key in keys), len(keys)

    def proposal(self, question: Question) -> JsonValue:
        """The answer of whoever types nothing: an earlier one if it still fits, else the default.

        None where there is none, or where nothing was answered before.
        """
        if question.key in self.remembered:
            earlier = self.remembered[question.key]
            if problem_of(question, earlier, self.now) is None:
                return earlier
        return proposal_of(question, self.now)

    def give(self, text: str) -> Problem | None:
        """Answer the next question by a typed line; what is wrong with it, or None."""
        question = self.question
        if question is None:
            return Problem("nothing is asked any more")
        text = text.strip()
        if not text:
            return self.accept(question, self.proposal(question))
        if text == NOTHING and question.is_optional:
            return self.accept(question, None)
        value = reading_of(question, text, self.now)
        return value if isinstance(value, Problem) else self.accept(question, value)

    def accept(self, question: Question, value: JsonValue) -> Problem | None:
        """Take over an answer unless something is wrong with it."""
        problem = problem_of(question, value, self.now)
        if problem is None:
            self.answers[question.key] = value
            self.remembered.pop(question.key, None)
        return problem

    def back(self) -> bool:
        """Take the last answer back; it is proposed again. False at the beginning."""
        if not self.answers:
            return False
        key, value = self.answers.popitem()
        self.remembered[key] = value
        return True

    def restore(
        self, answers: Mapping[str, JsonValue], remembered: Mapping[str, JsonValue]
    ) -> None:
        """Go on where a conversation stopped, as far as its answers are still right."""
        self.remembered = dict(remembered)
        while (question := self.question) is not None and question.key in answers:
            if self.accept(question, answers[question.key]) is not None:
                break
        left = {key: value for key, value in answers.items() if key not in self.answers}
        self.remembered |= left

    @property
    def spec(self) -> ToolSpec:
        """The finished tool.

        Raises:
            InvalidInputError: it is not finished; never after the last question.
        """
        return spec_of(self.now)
