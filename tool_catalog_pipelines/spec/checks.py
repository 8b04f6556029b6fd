"""Rules across the fields of one file: which checks a tool, chain or experiment gets.

Needs no catalogue and no other file; rules across steps and tools are in planning/. The rules
themselves are in the check_*.py modules beside this one. A file whose model is broken still gets
the checks of those parts that are whole, so that a person sees as much as possible at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar, cast

from pydantic import ValidationError

from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.spec.base import SpecModel, parse_tool_ref
from tool_catalog_pipelines.spec.chain import ChainInputSpec, ChainSpec, ScheduleSpec, StepSpec
from tool_catalog_pipelines.spec.check_binding import check_binding
from tool_catalog_pipelines.spec.check_estimates import check_estimates
from tool_catalog_pipelines.spec.check_examples import check_examples
from tool_catalog_pipelines.spec.check_inputs import check_chain_input, check_inputs
from tool_catalog_pipelines.spec.check_outputs import check_outputs
from tool_catalog_pipelines.spec.check_size import check_size
from tool_catalog_pipelines.spec.check_steps import check_schedule, check_step, check_text_path
from tool_catalog_pipelines.spec.experiment import ExperimentSpec
from tool_catalog_pipelines.spec.notes import Notes
from tool_catalog_pipelines.spec.parts import parse_part
from tool_catalog_pipelines.spec.reader import Document, DocumentPath
from tool_catalog_pipelines.spec.tool import PatternSpec, ToolSpec

T = TypeVar("T", bound=SpecModel)


def check_tool(spec: ToolSpec, document: Document) -> list[Problem]:
    """Everything that is wrong with a tool whose fields are each right."""
    notes = Notes(document)
    check_size(document, notes)
    for capability, group in spec.capabilities.items():
        for name, pattern in group.patterns.items():
            _check_pattern(pattern, ("capabilities", capability, "patterns", name), notes)
    return notes.problems


def check_chain(spec: ChainSpec, document: Document) -> list[Problem]:
    """Everything that is wrong with a chain and can be seen without the catalogue."""
    notes = Notes(document)
    for name, declared in spec.inputs.items():
        check_chain_input(name, declared, ("inputs", name), notes)
    for step_id, step in spec.steps.items():
        check_step(step, ("steps", step_id), notes)
    for name, output in spec.outputs.items():
        check_text_path(output.path, ("outputs", name, "path"), notes)
    if spec.schedule is not None:
        check_schedule(spec.schedule, ("schedule",), notes)
    return notes.problems


def check_experiment(spec: ExperimentSpec, document: Document) -> list[Problem]:
    """Everything that is wrong with an experiment and can be seen without the catalogue."""
    notes = Notes(document)
    try:
        reference = parse_tool_ref(spec.tool)
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        notes.add(("tool",), message, hint, "tool_reference")
    else:
        if reference.at is not None:
            notes.add(
                ("tool",),
                f"the tool of an experiment has no version of its own, but is '{spec.tool}'",
                f"remove '@{reference.at}'; the versions are version_a and version_b",
                "tool_reference",
            )
    return notes.problems


def check_partial_tool(document: Document) -> list[Problem]:
    """The checks of those patterns of a broken tool that are whole."""
    notes = Notes(document)
    for capability in _keys(document, ("capabilities",)):
        patterns = ("capabilities", capability, "patterns")
        for path, pattern in _whole_parts(PatternSpec, document, patterns):
            _check_pattern(pattern, path, notes)
    return notes.problems


def check_partial_chain(document: Document) -> list[Problem]:
    """The checks of those inputs and steps of a broken chain that are whole."""
    notes = Notes(document)
    for path, declared in _whole_parts(ChainInputSpec, document, ("inputs",)):
        check_chain_input(str(path[-1]), declared, path, notes)
    for path, step in _whole_parts(StepSpec, document, ("steps",)):
        check_step(step, path, notes)
    _when_whole(ScheduleSpec, document, ("schedule",), lambda s, p: check_schedule(s, p, notes))
    return notes.problems


def _check_pattern(pattern: PatternSpec, path: DocumentPath, notes: Notes) -> None:
    check_estimates(pattern, path, notes)
    check_inputs(pattern, path, notes)
    check_outputs(pattern, path, notes)
    check_binding(pattern, path, notes)
    check_examples(pattern, path, notes)


def _whole_parts(
    model: type[T], document: Document, parent: DocumentPath
) -> Iterator[tuple[DocumentPath, T]]:
    """The values of a mapping that are valid by themselves."""
    found: list[tuple[DocumentPath, T]] = []
    for key in _keys(document, parent):
        _when_whole(model, document, (*parent, key), lambda part, path: found.append((path, part)))
    yield from found


def _when_whole(
    model: type[T],
    document: Document,
    path: DocumentPath,
    check: Callable[[T, DocumentPath], None],
) -> None:
    if document.value_at(path) is None:
        return
    try:
        part = parse_part(model, document, path)
    except ValidationError:
        return
    check(part, path)


def _keys(document: Document, path: DocumentPath) -> list[str]:
    value = document.value_at(path)
    return list(cast("Mapping[str, object]", value)) if isinstance(value, Mapping) else []
