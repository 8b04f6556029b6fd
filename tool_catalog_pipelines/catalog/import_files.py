"""A file or folder -> the tools and experiments in it, in whatever format they are written.

Reads and checks; does not know the database. A tool is a whole candidate or a problem, and a file
that cannot be read never stops the others. Does not belong here: saving (importer.py), formats
(formats/).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tool_catalog_pipelines.catalog.formats.draft import Coerced, Draft
from tool_catalog_pipelines.catalog.formats.registry import format_names, recognise
from tool_catalog_pipelines.catalog.formats.validation import spec_of_draft
from tool_catalog_pipelines.errors import InvalidInputError, Position, Problem
from tool_catalog_pipelines.spec.experiment import ExperimentSpec
from tool_catalog_pipelines.spec.load import (
    content_hash,
    experiment_of,
    read_foreign_file,
    tool_of,
)
from tool_catalog_pipelines.spec.reader import Document
from tool_catalog_pipelines.spec.tool import ToolSpec

_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """One tool or experiment of one file, checked and ready to be saved."""

    file: str
    spec: ToolSpec | ExperimentSpec
    position: Position
    format: str = "tool"
    digest: str = ""

    @property
    def entity(self) -> tuple[str, str]:
        """Kind and name, as imports are remembered."""
        if isinstance(self.spec, ToolSpec):
            return "tool", "/".join(self.spec.key)
        return "experiment", self.spec.experiment


@dataclass(frozen=True, slots=True)
class FileContent:
    """What one file holds."""

    file: str
    candidates: tuple[Candidate, ...] = ()
    problems: tuple[Problem, ...] = ()
    coerced: tuple[Coerced, ...] = field(default=())


def importable_files(root: Path) -> tuple[Path, ...]:
    """The files that an import of a path looks at, sorted.

    Raises:
        InvalidInputError: there is no such path.
    """
    if root.is_file():
        return (root,)
    if not root.is_dir():
        raise InvalidInputError.one(f"there is no file or folder {root}", "check the path")
    return tuple(sorted(_below(root)))


def _below(root: Path) -> Iterator[Path]:
    """Files by their names, links that lead nowhere included, and folders that nobody may read.

    What cannot be read shall be refused, not overlooked. Names that begin with a dot are skipped:
    they belong to editors and version control.
    """
    unreadable: list[Path] = []

    def note(error: OSError) -> None:
        unreadable.append(Path(os.fsdecode(error.filename)))

    for folder, folders, names in os.walk(root, onerror=note):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(folder, name)
            if path.suffix.lower() in _SUFFIXES and not name.startswith("."):
                yield path
    yield from unreadable


def shown_as(path: Path, root: Path) -> str:
    """The file as remembered: relative to the folder, so that the folder may move."""
    shown = path.relative_to(root) if path != root and path.is_relative_to(root) else path
    # A name that is not UTF-8 can neither be stored nor printed.
    return os.fsencode(path.name if path == root else shown).decode("utf-8", "backslashreplace")


def read_candidates(path: Path, file: str) -> FileContent:
    """Everything that a file holds; chains hold nothing for the catalogue."""
    try:
        document = read_foreign_file(path, file)
        known = recognise(document)
        if known is not None:
            converted = known.convert(document)
            return _from_drafts(file, known.name, converted.drafts, converted.problems)
        return FileContent(file, tuple(_own(file, document)))
    except InvalidInputError as error:
        return FileContent(file, problems=error.problems)


def _own(file: str, document: Document) -> Iterator[Candidate]:
    keys = document.value
    if "tool_name" in keys:
        spec = tool_of(document)
        yield _candidate(file, spec, document.position(("tool_name",)), "tool")
    elif "experiment" in keys:
        experiment = experiment_of(document)
        yield _candidate(file, experiment, document.position(("tool",)), "experiment")
    elif "chain" not in keys:
        raise InvalidInputError.one(
            "this file is in no format that is known",
            f"begin with `tool_name:`, or use one of {', '.join(format_names())}",
            Position(file),
        )


def _from_drafts(
    file: str, format_name: str, drafts: tuple[Draft, ...], problems: tuple[Problem, ...]
) -> FileContent:
    found: list[Candidate] = []
    wrong = list(problems)
    coerced: list[Coerced] = []
    for draft in drafts:
        try:
            spec = spec_of_draft(draft)
        except InvalidInputError as error:
            wrong.extend(error.problems)
        else:
            found.append(_candidate(file, spec, draft.position, format_name))
            coerced.extend(draft.coerced)
    return FileContent(file, tuple(found), tuple(wrong), tuple(coerced))


def _candidate(
    file: str, spec: ToolSpec | ExperimentSpec, position: Position, format_name: str
) -> Candidate:
    return Candidate(file, spec, position, format_name, content_hash(spec))
