"""Proposed answers, from names and from what was answered before. Guesses; a person decides.

A proposal that would be refused is never shown (dialogue.py sees to it).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from tool_catalog_pipelines.catalog.drafting.draft import input_names, is_required, output_type
from tool_catalog_pipelines.catalog.drafting.known import Parameter
from tool_catalog_pipelines.catalog.drafting.question import Situation
from tool_catalog_pipelines.spec.base import JsonValue, TypeName

_CATEGORIES: Mapping[str, str] = {
    "network": "network", "scheduler": "scheduler", "database": "database", "cloud": "cloud",
    "container": "container", "kubernetes": "container", "monitoring": "monitoring",
}  # fmt: skip
_WHOLE = {
    "count", "num", "number", "limit", "lines", "port", "size", "top", "max", "min", "pid",
    "days", "hours", "minutes", "depth", "level", "page", "n",
}  # fmt: skip
_FRACTIONS = {"seconds", "timeout", "interval", "delay", "ratio", "percent", "threshold"}
_FOLDERS = {"folder", "dir", "directory", "path", "root", "paths", "folders"}
_FILES = {"file", "filename", "files"}
_BASE_TIME_MS: Mapping[str, str] = {"command": "20", "http": "200", "python": "5"}


def category(now: Situation) -> JsonValue:
    """The category that most tools of the platform have."""
    return _CATEGORIES.get(now.text("platform"), "system")


def identifier(name: str) -> str | None:
    """A name as plain name: small letters, digits and _."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return plain if plain[:1].isalpha() else None


def pattern_name(now: Situation) -> JsonValue:
    """What the tool does, as the name of a way to do it."""
    name = identifier(now.text("tool_name"))
    verb = {"http": "call", "python": "compute"}.get(now.text("kind"), "run")
    return f"{verb}_{name}" if name else None


def parameter(now: Situation, name: str) -> Parameter | None:
    """What a function says of one of its inputs."""
    facts = now.known.functions.get(now.text("function"))
    found = facts.parameters if facts and now.text("kind") == "python" else ()
    return next((one for one in found if one.name == name), None)


def input_type(now: Situation, name: str) -> JsonValue:
    """The type that inputs of such a name mostly have."""
    declared = parameter(now, name)
    if declared is not None:
        return declared.type
    words = set(name.split("_"))
    if words & _WHOLE:
        return "integer"
    return "number" if words & _FRACTIONS else "string"


def input_description(now: Situation, name: str) -> JsonValue:
    """The name in words, unless more is known."""
    declared = parameter(now, name)
    if declared is not None and declared.description:
        return declared.description
    return name.replace("_", " ").strip().capitalize()


def input_validation(now: Situation, name: str) -> JsonValue:
    """A text that is an argument by itself must not be taken for an option."""
    argv = now.answers.get("argv")
    elements = cast("list[JsonValue]", argv) if isinstance(argv, list) else []
    before = elements[: elements.index("--")] if "--" in elements else elements
    return "^[^-]" if f"{{{name}}}" in before else None


def parser(now: Situation) -> JsonValue:
    """What reads the output: jc if it knows the program, else lines; JSON for calls."""
    if now.text("kind") == "http":
        return {"parser": "json"}
    known = now.known.parser_of(_program(now))
    return {"parser": "jc", "name": known[0]} if known else {"parser": "lines"}


def output_name(now: Situation) -> JsonValue:
    """What the output holds."""
    kind = _field(now.answers.get("parser"), "parser")
    if kind == "jc":
        return "rows" if type_of_output(now) == "array" else "result"
    return {"lines": "lines", "text": "text", "json": "answer"}.get(str(kind), "rows")


def type_of_output(now: Situation) -> JsonValue:
    """Whether the parser gives a list or an object."""
    known = now.known.parser_of(str(_field(now.answers.get("parser"), "name") or "-"))
    return known[1] if known else "object"


def variables(now: Situation) -> JsonValue:
    """The number of elements of the output, if that is what the time depends on."""
    if now.text("kind") == "python":
        outputs = cast("dict[str, Any]", now.answers.get("outputs") or {})
        lists = [name for name, type in outputs.items() if type == "array"]
    else:
        lists = [now.text("output_name")] if output_type(now) == "array" else []
    if not lists or not lists[0]:
        return None
    path = {"count": f"$.output.{lists[0]}[*]"}
    return {f"num_{lists[0]}": {"unit": "count", "default": 100, "measured": path}}


def time_estimate(now: Situation) -> JsonValue:
    """A fixed share and one for every variable."""
    names = cast("dict[str, Any]", now.answers.get("variables") or {})
    shares = [f"0.05 * {name}" for name in names]
    return " + ".join([_BASE_TIME_MS.get(now.text("kind"), "20"), *shares])


def effects(now: Situation) -> JsonValue:
    """What a call changes, by its method; of a command nobody knows."""
    if now.text("kind") == "http":
        return "read" if now.text("method") in ("GET", "HEAD", "OPTIONS") else "system"
    facts = now.known.functions.get(now.text("function"))
    return facts.effects if facts else None


def example_inputs(now: Situation) -> JsonValue:
    """Values that work on any machine, for what must be given."""
    names = [name for name in input_names(now) if is_required(now, name)]
    return {name: _example_value(now, name) for name in names}


def example_files(now: Situation) -> JsonValue:
    """The files that the example's inputs name, and the page that a loopback server gives."""
    inputs = cast("dict[str, Any]", now.answers.get("example.inputs") or {})
    files: dict[str, str] = {}
    for value in inputs.values():
        match = re.fullmatch(r"\{scratch\}/([\w./-]+\.\w+)", str(value))
        if match:
            files[match[1]] = "one\ntwo\nthree\n"
        elif str(value) == "{scratch}":
            files["example.txt"] = "one\ntwo\nthree\n"
    if "{http_url}" in inputs.values():
        files[_served_file(now, inputs)] = _served_text(now)
    return files or None


def documentation(now: Situation) -> JsonValue:
    """The manual page of a program that is here."""
    program = _program(now)
    is_known = program and now.text("platform") == "linux" and now.known.has_program(program)
    return f"https://manpages.debian.org/{program}" if is_known else None


def tags(now: Situation) -> JsonValue:
    """Words of the name, with category and kind."""
    words = [*re.split(r"[^a-z0-9]+", now.text("tool_name").lower()), now.text("category")]
    words += [_program(now)] if now.text("kind") == "command" else [now.text("kind")]
    return [word for word in dict.fromkeys(words) if word]


def _program(now: Situation) -> str:
    argv = now.answers.get("argv")
    first = cast("list[JsonValue]", argv)[0] if isinstance(argv, list) and argv else ""
    return first if isinstance(first, str) and now.text("kind") == "command" else ""


def _example_value(now: Situation, name: str) -> JsonValue:
    type = cast("TypeName", now.text(f"inputs.{name}.type") or "string")
    range = now.answers.get(f"inputs.{name}.range")
    if type in ("integer", "number") and isinstance(range, list) and range:
        return cast("JsonValue", range[0])
    plain: Mapping[str, JsonValue] = {
        "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}
    }  # fmt: skip
    return plain[type] if type in plain else _example_text(set(name.split("_")))


def _example_text(words: set[str]) -> str:
    for names, text in (
        (_FILES, "{scratch}/example.txt"), (_FOLDERS, "{scratch}"), ({"url"}, "{http_url}"),
        ({"host", "address"}, "127.0.0.1"),
    ):  # fmt: skip
        if words & names:
            return text
    return "one"


def _served_file(now: Situation, inputs: Mapping[str, Any]) -> str:
    """The path that the call asks for, as a file below the folder that is served."""
    place = next(name for name, value in inputs.items() if value == "{http_url}")
    path = now.text("url").partition("?")[0].removeprefix(f"{{{place}}}")
    for name, value in inputs.items():
        path = path.replace(f"{{{name}}}", str(value))
    path = path.strip("/")
    return path if re.fullmatch(r"[\w][\w./-]*", path) and ".." not in path else "index.html"


def _served_text(now: Situation) -> str:
    if output_type(now) == "array":
        return '[{"ok": true}]'
    return '{"ok": true}' if _field(now.answers.get("parser"), "parser") == "json" else "ok\n"


def _field(value: JsonValue, key: str) -> JsonValue:
    return cast("dict[str, JsonValue]", value).get(key) if isinstance(value, dict) else None
