"""What the questions have to know of this installation: tools, functions, parsers, programs.

Gathered once, so that the questions themselves do no I/O. Does not belong here: any question.
"""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from tool_catalog_pipelines.catalog.discovery import SEARCH_PATH
from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.sources import installed_snapshot
from tool_catalog_pipelines.errors import TerminalError
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.spec.base import JsonValue, TypeName
from tool_catalog_pipelines.spec.binding import PythonBinding
from tool_catalog_pipelines.spec.check_binding import FUNCTION_GROUP
from tool_catalog_pipelines.spec.tool import PatternSpec

_TYPES: tuple[tuple[str, TypeName], ...] = (
    ("bool", "boolean"), ("int", "integer"), ("float", "number"), ("str", "string"),
    ("Sequence", "array"), ("list", "array"), ("tuple", "array"),
    ("Mapping", "object"), ("dict", "object"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parameter:
    """One input of a registered function; `default` is None where it must be given."""

    name: str
    type: TypeName
    default: JsonValue = None
    is_required: bool = True
    description: str = ""


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """A registered function: what it says of itself, takes, and gives."""

    summary: str
    parameters: tuple[Parameter, ...]
    outputs: Mapping[str, TypeName] = field(default_factory=dict[str, TypeName])
    effects: str | None = None


def _never(program: str) -> bool:
    del program
    return False


def _no_parser(program: str) -> tuple[str, TypeName] | None:
    del program
    return None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known when the questions are asked.

    Attributes:
        versions: latest version of every tool, by platform and case-folded name.
        functions: registered functions by name.
        parser_of: the jc parser of a program's name and the type of what it gives.
        has_program: is a program on this machine?
        assumed_inputs: names of inputs to go on with while the binding is not known.
    """

    versions: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    functions: Mapping[str, FunctionFacts] = field(default_factory=dict[str, FunctionFacts])
    parser_of: Callable[[str], tuple[str, TypeName] | None] = _no_parser
    has_program: Callable[[str], bool] = _never
    assumed_inputs: tuple[str, ...] = ()


def known_here(settings: Settings) -> Known:
    """What this installation knows; a catalogue that was never filled knows no tool."""
    try:
        tools = installed_snapshot(settings).latest
    except TerminalError:
        tools = ()
    return Known(
        versions={tool.header.key: tool.header.version for tool in tools},
        functions=_functions(tools),
        parser_of=_parser_of,
        has_program=lambda program: shutil.which(program, path=SEARCH_PATH) is not None,
    )


def _functions(tools: Iterable[CatalogTool]) -> dict[str, FunctionFacts]:
    """Every registered function; the catalogue knows more of those that it uses already."""
    used: dict[str, PatternSpec] = {}
    for tool in tools:
        if tool.header.platform != "custom":
            continue
        for pattern in tool.spec.patterns:
            if isinstance(pattern.binding, PythonBinding):
                used.setdefault(pattern.binding.function, pattern)
    found = sorted(entry_points(group=FUNCTION_GROUP), key=lambda entry: entry.name)
    return {entry.name: _facts(entry, used.get(entry.name)) for entry in found}


def _facts(entry: EntryPoint, example: PatternSpec | None) -> FunctionFacts:
    try:
        function = cast("Callable[..., Any]", entry.load())
        signature = inspect.signature(function)
    except Exception as error:  # a function of somebody else that cannot be loaded
        return FunctionFacts(f"cannot be loaded: {error}", ())
    _, *taken = signature.parameters.values()  # the first is the context
    named = (one for one in taken if one.kind is not inspect.Parameter.VAR_KEYWORD)
    summary = (inspect.getdoc(function) or "").partition("\n")[0]
    outputs: dict[str, TypeName] = (
        {o.name: o.type for o in example.expected_outputs} if example else {}
    )
    parameters = tuple(_parameter(one, example) for one in named)
    return FunctionFacts(summary, parameters, outputs, example.effects if example else None)


def _parameter(taken: inspect.Parameter, example: PatternSpec | None) -> Parameter:
    is_required = taken.default is inspect.Parameter.empty
    declared = example.inputs.get(taken.name) if example else None
    return Parameter(
        name=taken.name,
        type=declared.type if declared else _guessed_type(str(taken.annotation)),
        default=None if is_required else taken.default,
        is_required=is_required,
        description=declared.description if declared else "",
    )


def _guessed_type(annotation: str) -> TypeName:
    for word, type in _TYPES:
        if re.match(rf"{word}\b", annotation):
            return type
    return "string"


def _parser_of(program: str) -> tuple[str, TypeName] | None:
    """What jc has for a program, by name; its own words say what it gives."""
    name = program.rpartition("/")[2].replace("-", "_").replace(".", "_")
    jc = cast("Any", importlib.import_module("jc"))
    if name not in jc.parser_mod_list() or name in jc.streaming_parser_mod_list():
        return None
    words = inspect.getdoc(jc.get_parser(name).parse) or ""
    gives = words.rpartition("Returns:")[2].strip().lower()
    return name, "array" if gives.startswith("list") else "object"
