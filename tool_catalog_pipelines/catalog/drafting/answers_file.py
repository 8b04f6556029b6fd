"""A file of answers -> the answers, or everything that is wrong with it at once.

Answers stand under the keys of the questions, dots as mappings: `inputs: {path: {type: string}}`.
A text is read as if it were typed; lists and mappings are taken as they are. What is left out gets
the default. Does not belong here: reading YAML (spec/load.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import cast

from tool_catalog_pipelines.catalog.drafting.dialogue import problems_with, proposal_of, reading_of
from tool_catalog_pipelines.catalog.drafting.draft import spec_of
from tool_catalog_pipelines.catalog.drafting.known import Known
from tool_catalog_pipelines.catalog.drafting.question import Question, Situation
from tool_catalog_pipelines.catalog.drafting.questions import asked, known_keys
from tool_catalog_pipelines.errors import InvalidInputError, Position, Problem
from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.notes import name_hint
from tool_catalog_pipelines.spec.reader import Document, DocumentPath
from tool_catalog_pipelines.spec.tool import ToolSpec

_STAND_INS: Mapping[str, JsonValue] = {"tool_name": "unnamed"}
"""What other answers follow from, so that it does not make them wrong too."""


def spec_from(document: Document, known: Known) -> ToolSpec:
    """The tool that a file of answers makes.

    Raises:
        InvalidInputError: every answer that is wrong or missing, with its place.
    """
    return spec_of(Situation(answers_from(document, known), known))


def answers_from(document: Document, known: Known) -> dict[str, JsonValue]:
    """The answers of a file, with defaults for what it leaves out.

    Raises:
        InvalidInputError: every answer that is wrong or missing, with its place.
    """
    named = document.value_at(("inputs",))
    names = tuple(cast("Mapping[str, JsonValue]", named)) if isinstance(named, Mapping) else ()
    walk = _Walk(document, replace(known, assumed_inputs=names))
    problems = walk.problems()
    nowhere = Position(document.file)
    if problems:
        raise InvalidInputError(sorted(problems, key=lambda one: one.position or nowhere))
    return walk.answers


class _Walk:
    """Goes through the questions as a conversation would, past wrong answers too."""

    def __init__(self, document: Document, known: Known) -> None:
        self._document = document
        self._known = known
        self._seen: set[DocumentPath] = set()
        self.answers: dict[str, JsonValue] = {}

    def problems(self) -> list[Problem]:
        """Answer every question; everything that is wrong."""
        found: list[Problem] = []
        done: set[str] = set()
        while True:
            now = Situation(self.answers, self._known)
            question = next((one for one in asked(now) if one.key not in done), None)
            if question is None:
                break
            done.add(question.key)
            found.extend(self._answer(question, now))
        return found + list(self._unknown(self._document.value, (), is_lenient=bool(found)))

    def _answer(self, question: Question, now: Situation) -> list[Problem]:
        """Take over the answer of the file; a wrong one is replaced by the default."""
        path: DocumentPath = tuple(question.key.split("."))
        self._seen.add(path)
        default = proposal_of(question, now)
        is_given = _holds(self._document, path)
        value = self._read(question, path, now) if is_given else default
        if isinstance(value, Problem):
            problems: tuple[Problem, ...] = (value,)
        elif value is None and not is_given and not question.is_optional:
            message = f"'{question.key}' is missing: {question.text}"
            problems = (Problem(message, hint=question.help),)
        else:
            problems = problems_with(question, value, now)
        right = value
        if problems:
            right = default if default is not None else _STAND_INS.get(question.key)
        if right is not None or not problems:
            self.answers[question.key] = right
        return [self._placed(problem, question.key, path) for problem in problems]

    def _placed(self, problem: Problem, key: str, path: DocumentPath) -> Problem:
        says_key = f"'{key}'" in problem.message
        message = problem.message if says_key else f"'{key}': {problem.message}"
        return replace(problem, message=message, position=self._document.position(path))

    def _read(self, question: Question, path: DocumentPath, now: Situation) -> JsonValue | Problem:
        """A text for what is no text is read as typed; a number for a text as it is written."""
        value = self._document.value_at(path)
        if question.type == "string":
            return self._document.number_texts.get(path, value)
        is_typed = isinstance(value, str) and value != ""
        return reading_of(question, value, now) if is_typed else value

    def _unknown(
        self, fields: Mapping[str, JsonValue], path: DocumentPath, is_lenient: bool
    ) -> Iterator[Problem]:
        """Keys that answer no question; after other problems only those that never could."""
        for key, inner in fields.items():
            here = (*path, key)
            if here in self._seen:
                continue
            if not any(seen[: len(here)] == here for seen in self._seen):
                if not is_lenient or (not path and key not in known_keys()):
                    yield self._needless(here)
            elif isinstance(inner, Mapping):
                inside = cast("Mapping[str, JsonValue]", inner)
                yield from self._unknown(inside, here, is_lenient)
            else:
                message = f"'{key}' holds other answers, so it must be a mapping"
                place = self._document.key_position(here)
                yield Problem(message, place, "write 'key: value' lines below it", "value")

    def _needless(self, path: DocumentPath) -> Problem:
        name = ".".join(str(part) for part in path)
        place = self._document.key_position(path)
        if name in known_keys():
            message = f"'{name}' is not asked after these answers"
            return Problem(message, place, "remove it", "unknown_key")
        known = sorted(".".join(str(part) for part in seen) for seen in self._seen)
        hint = name_hint(name, known, "asked")
        return Problem(f"no question is called '{name}'", place, hint, "unknown_key")


def _holds(document: Document, path: DocumentPath) -> bool:
    *outer, last = path
    parent = document.value_at(outer)
    return isinstance(parent, Mapping) and last in parent
