"""A file of answers -> the answers, or everything that is wrong with it at once.

Answers stand under the keys of the questions, dots as mappings: `inputs: {path: {type: string}}`.
A text is read as if it were typed; lists and mappings are taken as they are. What is left out gets
the default. Does not belong here: reading YAML (spec/load.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import cast

from tool_catalog_pipelines.catalog.drafting.dialogue import problem_of, proposal_of, reading_of
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
            problem = self._answer(question, now)
            if problem is not None:
                found.append(problem)
        return found + list(self._unknown({}, (), is_lenient=bool(found)))

    def _answer(self, question: Question, now: Situation) -> Problem | None:
        """Take over the answer of the file; a wrong one is replaced by the default."""
        path: DocumentPath = tuple(question.key.split("."))
        self._seen.add(path)
        default = proposal_of(question, now)
        is_given = _holds(self._document, path)
        value = self._read(question, path, now) if is_given else default
        if isinstance(value, Problem):
            problem = value
        elif value is None and not is_given and not question.is_optional:
            problem = Problem(f"'{question.key}' is missing: {question.text}", hint=question.help)
        else:
            problem = problem_of(question, value, now)
        right = default if problem is not None else value
        if right is None and problem is not None:
            right = _STAND_INS.get(question.key)
        if right is not None or problem is None:
            self.answers[question.key] = right
        if problem is None:
            return None
        says_key = f"'{question.key}'" in problem.message
        message = problem.message if says_key else f"'{question.key}': {problem.message}"
        return replace(problem, message=message, position=self._document.position(path))

    def _read(self, question: Question, path: DocumentPath, now: Situation) -> JsonValue | Problem:
        """A text for what is no text is read as typed; a number for a text as it is written."""
        value = self._document.value_at(path)
        if question.type == "string":
            return self._document.number_texts.get(path, value)
        is_typed = isinstance(value, str) and value != ""
        return reading_of(question, value, now) if is_typed else value

    def _unknown(
        self, at: Mapping[str, JsonValue], path: DocumentPath, is_lenient: bool
    ) -> Iterator[Problem]:
        """Keys that answer no question; after other problems only those that never could."""
        value = at if path else self._document.value
        for key, inner in value.items():
            here = (*path, key)
            if here in self._seen or (is_lenient and (path or key in known_keys())):
                continue
            if isinstance(inner, Mapping) and any(s[: len(here)] == here for s in self._seen):
                yield from self._unknown(cast("Mapping[str, JsonValue]", inner), here, is_lenient)
                continue
            name = ".".join(str(part) for part in here)
            place = self._document.key_position(here)
            if name in known_keys() and not path:
                message = f"'{name}' is not asked after these answers"
                yield Problem(message, place, "remove it", "unknown_key")
                continue
            known = sorted({".".join(str(p) for p in s) for s in self._seen})
            yield Problem(f"no question is called '{name}'", place, name_hint(name, known))


def _holds(document: Document, path: DocumentPath) -> bool:
    *outer, last = path
    parent = document.value_at(outer)
    return isinstance(parent, Mapping) and last in parent
