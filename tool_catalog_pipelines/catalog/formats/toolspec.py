"""The executable ToolSpec: a shell string with typed parameters, one tool or a list of them.

Does not belong here: what of a shell string can be taken over (shell_template.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from tool_catalog_pipelines.catalog.formats.draft import Converted, Draft
from tool_catalog_pipelines.catalog.formats.foreign import (
    MASK,
    NOT_SAID,
    Names,
    Trail,
    description_of,
    elements,
    is_secret,
    mapping,
    named,
    printable,
    text_of,
    texts,
    tool_names,
    version_of,
    without_secrets,
)
from tool_catalog_pipelines.catalog.formats.schema_inputs import InputMaker, Property
from tool_catalog_pipelines.catalog.formats.schema_values import References, UnreadableError
from tool_catalog_pipelines.catalog.formats.shell_template import NotPlainError, argv_of
from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.reader import ROOT_LIST, Document, DocumentPath
from tool_catalog_pipelines.spec.tool import Category, Platform
from tool_catalog_pipelines.spec.values import value_problem

_KNOWN = frozenset({
    "name", "display_name", "description", "category", "platform", "version", "command_template",
    "timeout_seconds", "requires_admin", "parameters", "max_output_bytes", "redact_patterns",
    "tags", "examples",
})  # fmt: skip
_MAX_OUTPUT = 1_073_741_824
_MOST = 400


class ToolSpecFormat:
    """`name` and `command_template`, or a list of such mappings."""

    @property
    def name(self) -> str:
        """Shown in reports."""
        return "toolspec"

    def recognises(self, document: Document) -> bool:
        """Whether there is a command_template beside a name."""
        return any("command_template" in mapping(tool) for tool in _tools(document).values())

    def convert(self, document: Document) -> Converted:
        """One draft per tool; whatever is no tool is a problem."""
        drafts: list[Draft] = []
        problems: list[Problem] = []
        names = tool_names()
        for where, tool in _tools(document).items():
            try:
                drafts.append(_Reading(document, mapping(tool), where).draft(names))
            except UnreadableError as error:
                position = document.position(where)
                problems.append(Problem(str(error), position, "correct this tool", "tool"))
        return Converted(tuple(drafts), tuple(problems))


def _tools(document: Document) -> dict[DocumentPath, Any]:
    listed = document.value.get(ROOT_LIST)
    if isinstance(listed, list):
        return {(ROOT_LIST, at): tool for at, tool in enumerate(elements(listed))}
    return {(): document.value} if "tool_name" not in document.value else {}


class _Reading:
    """The state of reading one tool."""

    def __init__(self, document: Document, tool: Mapping[str, Any], where: DocumentPath) -> None:
        self._document = document
        self._tool = tool
        self._where = where
        self._trail = Trail(document)
        self._required: list[dict[str, Any]] = []
        self._optional: list[dict[str, Any]] = []
        self._names: dict[str, str] = {}

    def draft(self, names: Names) -> Draft:
        tool, trail = self._tool, self._trail
        written = tool.get("name")
        template = tool.get("command_template")
        if not isinstance(written, str) or not isinstance(template, str):
            raise UnreadableError("a tool needs a 'name' and a 'command_template'")
        name = named(written, names, trail, (*self._where, "name"))
        if name is None:
            raise UnreadableError(f"no tool can be called '{printable(written)}'")
        title = text_of(tool.get("display_name")) or name
        description = description_of(
            tool.get("description"), title, "description", trail, self._at("description")
        )
        self._inputs()
        metadata = self._metadata(title)
        pattern = self._pattern(description, template, metadata)
        made: dict[str, Any] = {
            "tool_name": name,
            "platform": self._platform(),
            "version": version_of(tool.get("version", "1.0.0"), trail, self._at("version")),
            "category": self._category(),
            "description": description,
            "timeout_s": self._number("timeout_seconds", 30, 0.001, 86_400),
            "capabilities": {"execute": {"description": title, "patterns": {"default": pattern}}},
            "metadata": metadata,
        }
        return Draft(made, self._document.position(self._where), trail.coerced)

    def _at(self, key: str) -> DocumentPath:
        return (*self._where, key)

    def _platform(self) -> str:
        written = text_of(self._tool.get("platform"))
        if written in get_args(Platform):
            return written
        if written != "cross-platform":
            why = "not a platform that is known"
            self._trail.note(
                "platform", written or NOT_SAID, "multi-platform", why, self._at("platform")
            )
        return "multi-platform"

    def _category(self) -> str:
        written = text_of(self._tool.get("category"))
        if written in get_args(Category):
            return written
        why = "not a category that is known"
        self._trail.note("category", written or NOT_SAID, "automation", why, self._at("category"))
        return "automation"

    def _number(self, key: str, otherwise: float, low: float, high: float) -> float:
        written = self._tool.get(key, otherwise)
        is_number = isinstance(written, int | float) and not isinstance(written, bool)
        if is_number and low <= written <= high:
            return written
        why = f"not a number between {low:g} and {high:g}"
        self._trail.note(key, written, str(otherwise), why, self._at(key))
        return otherwise

    def _inputs(self) -> None:
        parameters = elements(self._tool.get("parameters"))
        if len(parameters) > _MOST:
            raise UnreadableError(f"{len(parameters)} parameters, more than the {_MOST} allowed")
        maker = InputMaker(References({}), self._trail)
        for at, one in enumerate(parameters):
            parameter = mapping(one)
            written = parameter.get("name")
            if not isinstance(written, str) or not written or written in self._names:
                raise UnreadableError(f"parameter {at + 1} has no 'name' of its own")
            where = (*self._at("parameters"), at)
            wanted = Property(written, _schema(parameter), where, parameter.get("description"))
            made = maker.make(wanted)
            self._names[written] = made["name"]
            is_required = parameter.get("required") is True
            (self._required if is_required else self._optional).append(made)

    def _pattern(
        self, description: str, template: str, metadata: dict[str, JsonValue]
    ) -> dict[str, Any]:
        self._trail.note("effects", NOT_SAID, "system", "a command may change anything")
        needs_admin = self._tool.get("requires_admin") is True
        pattern: dict[str, Any] = {
            "description": description,
            "effects": "system",
            "limitations": ["needs the rights of an administrator"] if needs_admin else [],
            "policy": {"required_permissions": ["admin"]} if needs_admin else {},
            "required_inputs": self._required,
            "optional_inputs": self._optional,
            "examples": self._examples(),
        }
        binding = self._binding(template)
        if binding is None:
            metadata["command_template"] = template[:4000]
        else:
            pattern["binding"] = binding
            pattern["expected_outputs"] = [
                {"name": "output", "type": "string", "description": "What the command prints"}
            ]
        return pattern

    def _binding(self, template: str) -> dict[str, Any] | None:
        required = {one["name"] for one in self._required}
        inputs = {
            one["name"]: {**one, "is_sure": one["name"] in required or "default" in one}
            for one in (*self._required, *self._optional)
        }
        try:
            argv = argv_of(template, inputs, self._names)
        except NotPlainError as error:
            why = f"needs a shell, so that the tool is not executable: {error}"
            self._trail.note("binding", template, "left out", why, self._at("command_template"))
            return None
        return {
            "kind": "command",
            "argv": argv,
            "output": {"parser": "text", "as": "output"},
            "max_output_bytes": int(self._number("max_output_bytes", 16_384, 1, _MAX_OUTPUT)),
        }

    def _examples(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for at, one in enumerate(elements(self._tool.get("examples"))[:50]):
            where = (*self._at("examples"), at)
            made = self._example(mapping(one), f"example {at + 1}", where)
            if made is not None:
                found.append(made)
        return found

    def _example(
        self, example: Mapping[str, Any], otherwise: str, where: DocumentPath
    ) -> dict[str, Any] | None:
        given = mapping(example.get("parameters"))
        name = text_of(example.get("description"))[:200] or otherwise
        declared = {one["name"]: one for one in (*self._required, *self._optional)}
        inputs: dict[str, JsonValue] = {}
        for written, value in given.items():
            spec = declared.get(self._names.get(written, ""))
            shown = self._masked(written, value, where)
            if spec is None or _misfit(spec, shown):
                what = "it gives a value that is not declared, or does not fit"
                self._trail.note("examples", name, "left out", what, where)
                return None
            inputs[spec["name"]] = shown
        if any(one["name"] not in inputs and "default" not in one for one in self._required):
            self._trail.note("examples", name, "left out", "a required input is missing", where)
            return None
        return {"name": name, "inputs": inputs}

    def _masked(self, written: str, value: JsonValue, where: DocumentPath) -> JsonValue:
        if isinstance(value, str) and value and is_secret(written):
            self._trail.note(f"examples.{written}", MASK, MASK, "it may be a secret", where)
            return MASK
        return without_secrets(value)

    def _metadata(self, title: str) -> dict[str, JsonValue]:
        tool = self._tool
        found: dict[str, JsonValue] = {
            "source_format": "toolspec",
            "title": title[:200],
            "tags": texts(tool.get("tags"))[:50],
            "redact_patterns": texts(tool.get("redact_patterns"))[:50],
            "more": {
                key: without_secrets(value, key) for key, value in tool.items() if key not in _KNOWN
            },
        }
        if found["more"]:
            keys: Sequence[str] = sorted(found["more"])[:20]
            self._trail.note("metadata.more", ", ".join(keys), "kept", "keys that are not known")
        return {key: value for key, value in found.items() if value}


def _schema(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter as JSON Schema; its pattern had to match from the beginning on."""
    schema: dict[str, Any] = {"type": parameter.get("type", "string")}
    for theirs, ours in (("min_value", "minimum"), ("max_value", "maximum"), ("enum", "enum")):
        if parameter.get(theirs) is not None:
            schema[ours] = parameter[theirs]
    if parameter.get("default") is not None:
        schema["default"] = parameter["default"]
    pattern = parameter.get("pattern")
    if isinstance(pattern, str) and pattern:
        schema["pattern"] = (
            pattern if pattern.startswith("^") and "|" not in pattern else f"^(?:{pattern})"
        )
    return schema


def _misfit(spec: Mapping[str, Any], value: JsonValue) -> bool:
    if value == MASK:
        return spec["type"] != "string" or bool(
            value_problem(value, "string", None, spec.get("allowed_values"), spec.get("validation"))
        )
    problem = value_problem(
        value, spec["type"], spec.get("range"), spec.get("allowed_values"), spec.get("validation")
    )
    return problem is not None
