"""A file or folder of tools, chains and experiments, checked as a whole, without a database.

Every problem of every file at once; what needs the other files (duplicates, tools that chains and
experiments name) is looked up among the files first, then in the installed catalogue. Does not
belong here: the rules of one file (spec/checks.py, spec/advice.py), importing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from tool_catalog_pipelines.catalog.import_files import importable_files, shown_as
from tool_catalog_pipelines.catalog.rival_experiments import ExperimentFile, second_experiments
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.catalog.versioning import normalised
from tool_catalog_pipelines.catalog.yaml_source import with_channels
from tool_catalog_pipelines.errors import InvalidInputError, Position, Problem
from tool_catalog_pipelines.spec.advice import advice_on
from tool_catalog_pipelines.spec.base import ToolRef, parse_tool_ref
from tool_catalog_pipelines.spec.chain import ChainSpec
from tool_catalog_pipelines.spec.experiment import ExperimentSpec
from tool_catalog_pipelines.spec.load import (
    Loaded,
    chain_of,
    experiment_of,
    read_file,
    tool_of,
)
from tool_catalog_pipelines.spec.reader import Document
from tool_catalog_pipelines.spec.tool import ToolSpec

Kind = Literal["tool", "chain", "experiment", "unknown"]
_NAME_KEYS: Mapping[Kind, str] = {
    "tool": "tool_name",
    "chain": "chain",
    "experiment": "experiment",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """One file: what it is, its problems, and advice that only a strict check refuses."""

    file: str
    kind: Kind
    name: str
    problems: tuple[Problem, ...]
    advice: tuple[Problem, ...] = ()
    loaded: Loaded[ToolSpec] | Loaded[ChainSpec] | Loaded[ExperimentSpec] | None = None


def check_files(root: Path, installed: CatalogSnapshot) -> tuple[Checked, ...]:
    """Check every YAML and JSON file of a path.

    Args:
        root: a file or folder.
        installed: the catalogue that the files would be added to.

    Raises:
        InvalidInputError: there is no such path.
    """
    checked = [_check(path, shown_as(path, root)) for path in importable_files(root)]
    known = catalogue_with(installed, checked)
    beside = (_twins(checked), second_experiments(tuple(_experiments(checked)), known))
    return tuple(
        replace(
            one,
            problems=(
                *one.problems,
                *(problem for found in beside for problem in found.get(one.file, ())),
                *_across(one, known),
            ),
        )
        for one in checked
    )


def chains_of(checked: Sequence[Checked]) -> Iterator[tuple[int, Loaded[ChainSpec]]]:
    """The chains that could be read, with their place in the sequence."""
    for index, one in enumerate(checked):
        if one.loaded is not None and isinstance(one.loaded.spec, ChainSpec):
            yield index, Loaded(one.loaded.spec, one.loaded.document, one.loaded.path)


def catalogue_with(installed: CatalogSnapshot, checked: Sequence[Checked]) -> CatalogSnapshot:
    """The installed catalogue with the tools of the files as their latest versions."""
    groups: dict[tuple[str, str], list[ToolSpec]] = {}
    for one in checked:
        if one.loaded is not None and isinstance(one.loaded.spec, ToolSpec):
            spec = one.loaded.spec
            numbered = spec.model_copy(update={"version": normalised(spec.version)})
            groups.setdefault(spec.key, []).append(numbered)
    tools = tuple(tool for group in groups.values() for tool in with_channels(group))
    kept = tuple(tool for tool in installed.tools if tool.header.key not in groups)
    return replace(installed, tools=(*kept, *tools), taken_at=datetime.now(UTC))


def _experiments(checked: Sequence[Checked]) -> Iterator[ExperimentFile]:
    for one in checked:
        if one.loaded is not None and isinstance(one.loaded.spec, ExperimentSpec):
            where = one.loaded.document.position(("tool",))
            yield ExperimentFile(one.file, one.loaded.spec, where)


def _check(path: Path, file: str) -> Checked:
    try:
        document = read_file(path, file)
    except InvalidInputError as error:
        return Checked(file, "unknown", "", error.problems)
    kinds: tuple[Kind, ...] = tuple(k for k, key in _NAME_KEYS.items() if key in document.value)
    kind = kinds[0] if kinds else None
    if kind is None:
        message = "neither a tool, a chain nor an experiment"
        hint = "begin with `tool_name:`, `chain:` or `experiment:`"
        return Checked(file, "unknown", "", (Problem(message, Position(file), hint, "kind"),))
    name = str(document.value[_NAME_KEYS[kind]])
    try:
        loaded = _loaded(kind, document, path)
    except InvalidInputError as error:
        return Checked(file, kind, name, error.problems)
    advice = advice_on(loaded.spec, document) if isinstance(loaded.spec, ToolSpec) else ()
    return Checked(file, kind, name, (), tuple(advice), loaded)


def _loaded(
    kind: Kind, document: Document, path: Path
) -> Loaded[ToolSpec] | Loaded[ChainSpec] | Loaded[ExperimentSpec]:
    if kind == "tool":
        return Loaded(tool_of(document), document, path)
    if kind == "chain":
        return Loaded(chain_of(document), document, path)
    return Loaded(experiment_of(document), document, path)


def _twins(checked: Sequence[Checked]) -> dict[str, list[Problem]]:
    """One version of one tool, or one name of a chain or experiment, in two files."""
    first: dict[tuple[str, ...], Checked] = {}
    found: dict[str, list[Problem]] = {}
    for one in checked:
        if one.loaded is None:
            continue
        spec = one.loaded.spec
        key = (
            (one.kind, *spec.key, spec.version)
            if isinstance(spec, ToolSpec)
            else (one.kind, one.name)
        )
        twin = first.setdefault(key, one)
        if twin is not one:
            where = one.loaded.document.position((_NAME_KEYS[one.kind],))
            hint = "give one of the two another version or name"
            problem = Problem(f"{one.name} is in {twin.file} too", where, hint, "duplicate")
            found.setdefault(one.file, []).append(problem)
    return found


def _across(checked: Checked, known: CatalogSnapshot) -> Iterator[Problem]:
    """What needs the other files: tools that a tool or an experiment names."""
    if checked.loaded is None:
        return
    spec, document = checked.loaded.spec, checked.loaded.document
    if isinstance(spec, ToolSpec):
        for at, need in enumerate(spec.dependencies):
            if need.type == "tool":
                yield from _missing(need.name, (), known, document.position(("dependencies", at)))
    elif isinstance(spec, ExperimentSpec):
        versions = (spec.version_a, spec.version_b)
        yield from _missing(spec.tool, versions, known, document.position(("tool",)))


def _missing(
    text: str, versions: Sequence[str], known: CatalogSnapshot, where: Position
) -> Iterator[Problem]:
    try:
        ref = parse_tool_ref(text)
        for at in versions or (ref.at,):
            number = normalised(at) if at in versions and at is not None else at
            known.resolve(ToolRef(ref.name, ref.platform, number))
    except InvalidInputError as error:
        for problem in error.problems:
            yield Problem(problem.message, where, problem.hint, "unknown_tool")
    except ValueError as error:
        yield Problem(str(error), where, "", "tool_reference")
