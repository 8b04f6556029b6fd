"""A YAML file of a person -> a checked spec with its document, or all problems at once.

The one place where specs come from files. Does not belong here: rules (spec/checks.py), what
the catalogue knows (planning/).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from tool_catalog_pipelines.errors import InvalidInputError, Position, Problem
from tool_catalog_pipelines.spec.base import JsonValue, SpecModel
from tool_catalog_pipelines.spec.chain import ChainSpec
from tool_catalog_pipelines.spec.checks import (
    check_chain,
    check_experiment,
    check_partial_chain,
    check_partial_tool,
    check_tool,
)
from tool_catalog_pipelines.spec.experiment import ExperimentSpec
from tool_catalog_pipelines.spec.json_document import read_json_document
from tool_catalog_pipelines.spec.notes import Notes
from tool_catalog_pipelines.spec.parts import parse_part
from tool_catalog_pipelines.spec.pydantic_problems import note_model_problems
from tool_catalog_pipelines.spec.reader import MAX_PROBLEMS, Document, Limits, read_document
from tool_catalog_pipelines.spec.source_text import MAX_FILE_BYTES
from tool_catalog_pipelines.spec.tool import ToolSpec

T = TypeVar("T", bound=SpecModel)
FOREIGN_JSON = Limits(max_bytes=16_777_216, max_nodes=1_000_000, allows_list=True)
"""Descriptions of large services are made by programs, as JSON, and are read fast."""
FOREIGN_YAML = Limits(
    max_bytes=4_194_304, max_nodes=250_000, allows_list=True, takes_number_keys=True
)
_SUFFIXES = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True)
class Loaded(Generic[T]):
    """A spec and the document that it was read from, for places in later problems."""

    spec: T
    document: Document
    path: Path


def load_tool(path: Path, shown_as: str | None = None) -> Loaded[ToolSpec]:
    """Read one tool file.

    Args:
        path: the file.
        shown_as: its name in problems; the path if not given.

    Raises:
        InvalidInputError: everything that is wrong with the file.
    """
    return _load(path, shown_as, _Checks(ToolSpec, check_tool, check_partial_tool))


def read_file(path: Path, shown_as: str | None = None) -> Document:
    """Read a YAML or JSON file of any kind.

    Raises:
        InvalidInputError: the file cannot be read, or is wrong as YAML.
    """
    file = shown_as or str(path)
    return read_document(_content(path, file, MAX_FILE_BYTES), file)


def read_foreign_file(path: Path, shown_as: str | None = None) -> Document:
    """Read a file that may be of any format, ours or not: larger than ours, or a list.

    Raises:
        InvalidInputError: the file cannot be read, or is wrong as YAML or as JSON.
    """
    file = shown_as or str(path)
    if path.suffix.lower() == ".json":
        content = _content(path, file, FOREIGN_JSON.max_bytes)
        return read_json_document(content, file, FOREIGN_JSON)
    return read_document(_content(path, file, FOREIGN_YAML.max_bytes), file, FOREIGN_YAML)


def tool_of(document: Document) -> ToolSpec:
    """The tool that a file holds, which was read already; see `load_tool`."""
    return _checked(document, _Checks(ToolSpec, check_tool, check_partial_tool))


def chain_of(document: Document) -> ChainSpec:
    """The chain that a file holds, which was read already; see `load_chain`."""
    return _checked(document, _Checks(ChainSpec, check_chain, check_partial_chain))


def experiment_of(document: Document) -> ExperimentSpec:
    """The experiment that a file holds, which was read already; see `load_experiment`."""
    return _checked(document, _Checks(ExperimentSpec, check_experiment, _no_partial_checks))


def load_chain(path: Path, shown_as: str | None = None) -> Loaded[ChainSpec]:
    """Read one chain file; see `load_tool`. What needs the catalogue is checked when planning."""
    return _load(path, shown_as, _Checks(ChainSpec, check_chain, check_partial_chain))


def load_experiment(path: Path, shown_as: str | None = None) -> Loaded[ExperimentSpec]:
    """Read one experiment file; see `load_tool`."""
    return _load(path, shown_as, _Checks(ExperimentSpec, check_experiment, _no_partial_checks))


def tool_from_value(value: JsonValue, shown_as: str) -> ToolSpec:
    """A tool that was made by a program, checked like a file.

    Args:
        value: what the file would hold.
        shown_as: stands for the file in problems; lines count in its JSON text.

    Raises:
        InvalidInputError: everything that is wrong with it.
    """
    return tool_of(read_json_document(json.dumps(value, indent=1), shown_as))


def yaml_files(folder: Path) -> tuple[Path, ...]:
    """All YAML files below a folder, sorted; none if the folder does not exist.

    Names that begin with a dot are skipped: they belong to editors and version control.
    """
    found = (path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    return tuple(
        sorted(
            path
            for path in found
            if path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        )
    )


def canonical_json(value: JsonValue) -> str:
    """JSON with one spelling per value: sorted keys, no blanks, ASCII only.

    Raises:
        ValueError: infinity or not-a-number.
        TypeError: a value that JSON cannot hold.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_hash(spec: SpecModel) -> str:
    """SHA-256 (hex) of what a spec says.

    Keys left out and keys written with their default give the same hash, so that a new optional
    key in a later release changes no hash.
    """
    content = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Checks(Generic[T]):
    """The model of one kind of file, its checks, and those that a broken file still gets."""

    model: type[T]
    complete: Callable[[T, Document], list[Problem]]
    partial: Callable[[Document], list[Problem]]


def _load(path: Path, shown_as: str | None, checks: _Checks[T]) -> Loaded[T]:
    document = read_file(path, shown_as)
    return Loaded(_checked(document, checks), document, path)


def _checked(document: Document, checks: _Checks[T]) -> T:
    notes = Notes(document)
    try:
        spec = parse_part(checks.model, document, ())
    except ValidationError as error:
        note_model_problems(error, checks.model, document, notes)
        raise _invalid([*notes.problems, *checks.partial(document)]) from None
    problems = checks.complete(spec, document)
    if problems:
        raise _invalid(problems)
    return spec


def _invalid(problems: list[Problem]) -> InvalidInputError:
    nowhere = Position("")
    ordered = sorted(problems, key=lambda problem: problem.position or nowhere)
    return InvalidInputError(ordered[:MAX_PROBLEMS])


def _content(path: Path, file: str, max_bytes: int) -> bytes:
    """The bytes of a file, one more than allowed at most; only regular files are read."""
    try:
        if path.is_dir():
            os.scandir(path).close()
        if path.exists() and not path.is_file():
            raise InvalidInputError.one("not a file", "name a YAML file", Position(file))
        with path.open("rb") as stream:
            return stream.read(max_bytes + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidInputError.one(
            f"the file cannot be read: {reason}", "check its name and permissions", Position(file)
        ) from None


def _no_partial_checks(document: Document) -> list[Problem]:
    del document
    return []
