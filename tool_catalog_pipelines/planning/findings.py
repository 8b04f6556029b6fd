"""Collects everything that is wrong with one chain, each with the place of the exact key.

Every check of planning/ writes into one Findings; build.py raises them all at once.
"""

from __future__ import annotations

from pydantic import ValidationError

from tool_catalog_pipelines.errors import InvalidInputError, Position
from tool_catalog_pipelines.spec.base import SpecModel
from tool_catalog_pipelines.spec.notes import Notes
from tool_catalog_pipelines.spec.pydantic_problems import note_model_problems
from tool_catalog_pipelines.spec.reader import Document, DocumentPath


class Findings(Notes):
    """The problems of one chain, and the places of its keys."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self._chain = document

    def position(self, path: DocumentPath) -> Position:
        """The place of a value, or of its nearest ancestor."""
        return self._chain.position(path)

    def add_all(self, where: DocumentPath, error: InvalidInputError, code: str) -> None:
        """Note the problems of an error that knew no place."""
        for problem in error.problems:
            self.add(where, problem.message, problem.hint, code)

    def add_model(
        self, where: DocumentPath, error: ValidationError, model: type[SpecModel]
    ) -> None:
        """Note what a model says about the value at a path."""
        note_model_problems(error, model, self._chain, self, where)
