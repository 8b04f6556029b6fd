"""Answers -> the tool file that they make, complete or not, checked by the rules of tool files.

Whatever is not answered yet is left out, or gets a neutral stand-in, so that everything that is
wrong comes from an answer. Does not belong here: questions and their defaults.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast, get_args

from tool_catalog_pipelines.catalog.drafting.question import Situation
from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.spec.base import JsonValue, TypeName
from tool_catalog_pipelines.spec.example import places_in
from tool_catalog_pipelines.spec.load import tool_from_value
from tool_catalog_pipelines.spec.tool import ToolSpec

BINDING_KEYS: Mapping[str, str] = {"command": "argv", "http": "url", "python": "function"}
_STAND_INS: Mapping[str, JsonValue] = {"command": ["true"], "http": "http://127.0.0.1"}
_TOKEN = re.compile(r"\$\{secret:[^}]*\}|\{\{|\}\}|\{(?P<name>[a-z][a-z0-9_]*)\}")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")
_OUTPUT_TYPES: Mapping[str, TypeName] = {"text": "string", "lines": "array", "regex": "array"}


def spec_of(now: Situation) -> ToolSpec:
    """The tool that the answers make.

    Raises:
        InvalidInputError: everything that is wrong with it.
    """
    return tool_from_value(document_of(now), "the new tool")


def problems_of(now: Situation) -> tuple[Problem, ...]:
    """Everything that is wrong with the tool so far; places in it would mean nothing to anybody."""
    try:
        spec_of(now)
    except InvalidInputError as error:
        return tuple(replace(problem, position=None) for problem in error.problems)
    return ()


def document_of(now: Situation) -> dict[str, Any]:
    """The tool file as plain values."""
    answers = now.answers
    pattern = _pattern(now)
    name = now.text("capability") or "unnamed"
    pattern_name = now.text("pattern") or "unnamed"
    description = answers.get("description", "not described yet")
    capability = {"description": description, "patterns": {pattern_name: pattern}}
    document: dict[str, Any] = {
        "tool_name": answers.get("tool_name", "unnamed"),
        "platform": answers.get("platform", "custom"),
        "version": answers.get("version") or "1.0.0",
        "category": answers.get("category", "system"),
        "description": description,
        "capabilities": {name: capability},
    }
    if "${secret:" in str(pattern.get("binding")):
        document["requires_auth"] = True
    argv = answers.get("argv")
    if isinstance(argv, list) and argv and isinstance(argv[0], str):
        document["dependencies"] = [{"name": argv[0], "type": "binary"}]
    metadata = _given(now, {"documentation_url": "documentation_url", "tags": "tags"})
    metadata |= _given(now, {"constant_estimate": "constant_estimate"})
    return document | ({"metadata": metadata} if metadata else {})


def input_names(now: Situation) -> tuple[str, ...]:
    """The inputs that the binding needs, in the order of their first use."""
    kind = now.text("kind")
    key = BINDING_KEYS.get(kind)
    if key is None or now.answers.get(key) is None:
        return tuple(name for name in now.known.assumed_inputs if _IDENTIFIER.fullmatch(name))
    if kind == "python":
        facts = now.known.functions.get(now.text("function"))
        return tuple(parameter.name for parameter in facts.parameters) if facts else ()
    keys = ("argv",) if kind == "command" else ("url", "query", "headers", "body")
    found = (name for part in keys for name in _names_in(now.answers.get(part)))
    return tuple(name for name in dict.fromkeys(found) if _IDENTIFIER.fullmatch(name))


def may_be_left_out(now: Situation, name: str) -> bool:
    """True for an input that only stands where nothing happens without it."""
    if now.text("kind") == "python":
        facts = now.known.functions.get(now.text("function"))
        parameters = facts.parameters if facts else ()
        return any(one.name == name and not one.is_required for one in parameters)
    if now.text("kind") == "http":
        return not _is_used(now, name, ("url", "body")) and _stands_alone(now, name)
    argv = now.answers.get("argv")
    elements = cast("list[JsonValue]", argv) if isinstance(argv, list) else []
    free = [element for element in elements if _condition(element) != name]
    return name not in _names_in(free) and name in _names_in(elements)


def output_type(now: Situation) -> TypeName | None:
    """The type of the one output of a command or call; None without output."""
    parser = _parser_kind(now)
    if parser in (None, "none"):
        return None
    chosen = now.text("output_type")
    return _OUTPUT_TYPES.get(parser) or cast("TypeName", chosen or "array")


def is_required(now: Situation, name: str) -> bool:
    """Must a caller give the input?"""
    return now.answers.get(f"inputs.{name}.default") is None and not may_be_left_out(now, name)


def _parser_kind(now: Situation) -> str | None:
    parser = now.answers.get("parser")
    kind = cast("Mapping[str, JsonValue]", parser).get("parser") if _is_map(parser) else None
    return kind if isinstance(kind, str) else None


def _pattern(now: Situation) -> dict[str, Any]:
    pattern: dict[str, Any] = {"description": now.answers.get("description", "not described yet")}
    pattern |= _given(now, {
        "typical_use_cases": "use_cases", "variables": "variables", "effects": "effects",
        "time_estimate_ms": "time_estimate_ms", "cost_estimate": "cost_estimate",
    })  # fmt: skip
    for name in input_names(now):
        key = "required_inputs" if is_required(now, name) else "optional_inputs"
        pattern.setdefault(key, []).append(_input(now, name))
    outputs = _outputs(now)
    if outputs:
        pattern["expected_outputs"] = outputs
    binding = _binding(now)
    if binding is not None:
        pattern["binding"] = binding
    needs_nothing = binding is not None and not input_names(now)
    if needs_nothing or "example.inputs" in now.answers:
        pattern["examples"] = [_example(now)]
    return pattern


def _input(now: Situation, name: str) -> dict[str, Any]:
    fields = {key: f"inputs.{name}.{key}" for key in ("default", "range", "validation")}
    return {
        "name": name,
        "type": now.answers.get(f"inputs.{name}.type", "string"),
        "description": now.answers.get(f"inputs.{name}.description", "not described yet"),
        **_given(now, fields),
    }


def _outputs(now: Situation) -> list[dict[str, Any]]:
    if now.text("kind") == "python":
        types = now.answers.get("outputs")
        fields = cast("dict[str, JsonValue]", types).items() if _is_map(types) else ()
        return [{"name": name, "type": type} for name, type in fields]
    type, name = output_type(now), now.answers.get("output_name")
    if type is None or name is None:
        return []
    return [{"name": name, "type": type, "schema": _schema(now, type)}]


def _schema(now: Situation, type: TypeName) -> dict[str, Any]:
    """What is certain of the value by its parser."""
    parser = _parser_kind(now)
    if parser == "lines":
        return {"type": "array", "items": {"type": "string"}}
    if parser == "regex":
        return {"type": "array", "items": {"type": "object", "required": _groups(now)}}
    if parser == "jc" and type == "array":
        return {"type": "array", "items": {"type": "object"}}
    return {"type": type} if type in get_args(TypeName) else {}


def _groups(now: Situation) -> list[str]:
    parser = cast("Mapping[str, JsonValue]", now.answers["parser"])
    return re.findall(r"\(\?P<(\w+)>", str(parser.get("pattern", "")))


def _binding(now: Situation) -> dict[str, Any] | None:
    kind = now.text("kind")
    key = BINDING_KEYS.get(kind)
    parser = now.answers.get("parser")
    executed = now.answers.get(key) if key else None
    if executed is None and parser is not None:
        executed = _STAND_INS.get(kind)  # so that the parser is checked without the binding, too
    if executed is None:
        return None
    if kind == "python":
        return {"kind": kind, "function": executed}
    reading: Any = {"parser": "text"} if parser is None else parser
    if _is_map(reading) and reading.get("parser") != "none":
        reading = {"as": now.answers.get("output_name") or "result", **reading}
    if kind == "command":
        extra = _given(now, {"target": "target"})
        return {"kind": kind, **extra, "argv": executed, "output": reading}
    parts = _given(now, {"query": "query", "headers": "headers", "body": "body"})
    method = now.answers.get("method", "GET")
    return {"kind": kind, "method": method, "url": executed, **parts, "output": reading}


def _example(now: Situation) -> dict[str, Any]:
    inputs: JsonValue = now.answers.get("example.inputs") or {}
    files: JsonValue = now.answers.get("example.files") or {}
    example: dict[str, Any] = {"name": now.answers.get("example.name") or "usual call"}
    example["inputs"] = inputs
    if files:
        example["files"] = files
    served = {place.partition("_")[0] for place in places_in([inputs, files])} - {"scratch"}
    return example | ({"serve": sorted(served)} if served else {})


def _given(now: Situation, keys: Mapping[str, str]) -> dict[str, Any]:
    """The answers that were given, by their keys in the tool file."""
    found = {key: now.answers.get(answer) for key, answer in keys.items()}
    return {key: value for key, value in found.items() if value is not None}


def _names_in(value: JsonValue) -> Iterator[str]:
    """Placeholders and conditions anywhere in a value, in order."""
    if isinstance(value, str):
        yield from (match["name"] for match in _TOKEN.finditer(value) if match["name"])
    elif isinstance(value, Mapping):
        condition = _condition(value)
        if condition:
            yield condition
        for key, inner in cast("Mapping[str, JsonValue]", value).items():
            if key != "if":
                yield from _names_in(inner)
    elif isinstance(value, list):
        for inner in cast("list[JsonValue]", value):
            yield from _names_in(inner)


def _condition(element: JsonValue) -> str | None:
    """The input on which arguments depend: `{if: name, then: [...]}`."""
    fields = cast("dict[str, JsonValue]", element) if isinstance(element, dict) else {}
    name = fields.get("if") if "then" in fields else None
    return name if isinstance(name, str) else None


def _is_used(now: Situation, name: str, keys: tuple[str, ...]) -> bool:
    return any(name in _names_in(now.answers.get(key)) for key in keys)


def _stands_alone(now: Situation, name: str) -> bool:
    """Every parameter and header that uses the input is that input and nothing else."""
    found = [text for key in ("query", "headers") for text in _texts(now.answers.get(key))]
    return all(text == f"{{{name}}}" for text in found if name in _names_in(text))


def _texts(value: JsonValue) -> list[JsonValue]:
    return list(cast("Mapping[str, JsonValue]", value).values()) if _is_map(value) else []


def _is_map(value: JsonValue) -> bool:
    return isinstance(value, dict)
