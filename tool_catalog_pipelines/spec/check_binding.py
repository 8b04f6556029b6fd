"""Rules of a pattern's binding and outputs: placeholders, parser, schemas, registered functions."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any, Protocol, cast

from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.check_inputs import REGEX_HINT, regex_problem
from tool_catalog_pipelines.spec.notes import Notes, name_hint
from tool_catalog_pipelines.spec.plain_schema import is_plain_schema
from tool_catalog_pipelines.spec.reader import DocumentPath
from tool_catalog_pipelines.spec.tool import (
    CommandBinding,
    IfArgument,
    ParserSpec,
    PatternSpec,
    PythonBinding,
)

FUNCTION_GROUP = "tool_catalog_pipelines.functions"
_TOKEN = re.compile(r"\{\{|\}\}|\{(?P<name>[a-z][a-z0-9_]*)\}|(?P<stray>[{}])")


def check_binding(pattern: PatternSpec, path: DocumentPath, notes: Notes) -> None:
    """A command's placeholders and parser, or a function's name. No binding is fine."""
    binding = pattern.binding
    where = (*path, "binding")
    if isinstance(binding, PythonBinding):
        _check_function(binding.function, (*where, "function"), notes)
    elif isinstance(binding, CommandBinding):
        for at, text in _texts(binding, where):
            _check_placeholders(text, pattern, at, notes)
        _check_conditions(binding, pattern, where, notes)
        _check_command(binding, where, notes)
        _check_parser(binding.output, pattern, (*where, "output"), notes)


def check_outputs(pattern: PatternSpec, path: DocumentPath, notes: Notes) -> None:
    """Names of outputs are unique and their schemas are JSON Schemas."""
    seen: set[str] = set()
    for at, output in enumerate(pattern.expected_outputs):
        where = (*path, "expected_outputs", at)
        if output.name in seen:
            message = f"the output '{output.name}' is declared twice"
            notes.add((*where, "name"), message, "remove or rename one of the two", "duplicate")
        seen.add(output.name)
        if output.schema_ is not None:
            _check_schema(output.schema_, (*where, "schema"), notes)


def _texts(binding: CommandBinding, where: DocumentPath) -> Iterator[tuple[DocumentPath, str]]:
    """Every text of a command that may hold placeholders, with its path."""
    for at, element in enumerate(binding.argv):
        here = (*where, "argv", at)
        if isinstance(element, str):
            yield here, element
            continue
        yield from (((*here, "then", n), text) for n, text in enumerate(element.then))
        yield from (((*here, "else", n), text) for n, text in enumerate(element.else_))
    for key in ("stdin", "cwd"):
        text = getattr(binding, key)
        if text is not None:
            yield (*where, key), text
    yield from (((*where, "env", name), text) for name, text in binding.env.items())


def _check_placeholders(text: str, pattern: PatternSpec, where: DocumentPath, notes: Notes) -> None:
    for match in _TOKEN.finditer(text):
        if match["stray"]:
            notes.add(
                where,
                f"a single '{match['stray']}' in {text!r} (character {match.start() + 1})",
                "write {{ and }} for braces, {name} for the value of an input",
                "placeholder",
            )
            return  # what follows a stray brace cannot be told apart
        name = match["name"]
        if name is not None and name not in pattern.inputs:
            message = f"the placeholder {{{name}}} is not an input of the pattern"
            hint = name_hint(name, pattern.inputs, "inputs") or f"declare the input '{name}'"
            notes.add(where, message, f"{hint}; write {{{{{name}}}}} for the text", "placeholder")


def _check_conditions(
    binding: CommandBinding, pattern: PatternSpec, where: DocumentPath, notes: Notes
) -> None:
    for at, element in enumerate(binding.argv):
        if isinstance(element, IfArgument) and element.if_ not in pattern.inputs:
            message = f"'if: {element.if_}' does not name an input of the pattern"
            hint = name_hint(element.if_, pattern.inputs, "inputs")
            hint = hint or f"declare the input '{element.if_}'"
            notes.add((*where, "argv", at, "if"), message, hint, "placeholder")


def _check_command(binding: CommandBinding, where: DocumentPath, notes: Notes) -> None:
    first = binding.argv[0]
    if not isinstance(first, str) or not first.strip() or "{" in first:
        notes.add(
            (*where, "argv", 0),
            "the program is not a fixed name",
            "write the name of the program as first argument; only its arguments may vary",
            "command",
        )
    for name in binding.env:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            message = f"'{name}' cannot be the name of an environment variable"
            notes.add((*where, "env", name), message, "use letters, digits and _", at_key=True)
    codes = binding.exit_codes
    seen: dict[int, str] = {}
    for key in ("success", "no_result", "failed", "transient"):
        for code in cast("Sequence[int]", getattr(codes, key)):
            if seen.setdefault(code, key) != key:
                message = f"the exit code {code} means both {seen[code]} and {key}"
                notes.add((*where, "exit_codes", key), message, "keep it in one list", "duplicate")


def _check_parser(
    parser: ParserSpec, pattern: PatternSpec, where: DocumentPath, notes: Notes
) -> None:
    if parser.parser == "jc":
        _check_jc(parser, where, notes)
    elif parser.name is not None:
        message = f"'name' is for the parser jc, but the parser is {parser.parser}"
        notes.add((*where, "name"), message, "remove it", "parser", at_key=True)
    if parser.parser == "regex":
        _check_regex_parser(parser, where, notes)
    elif parser.pattern is not None:
        message = f"'pattern' is for the parser regex, but the parser is {parser.parser}"
        notes.add((*where, "pattern"), message, "remove it", "parser", at_key=True)
    names = [output.name for output in pattern.expected_outputs]
    if parser.parser == "none":
        if names:
            message = "outputs are expected, but the parser 'none' gives none"
            notes.add((*where, "parser"), message, "choose a parser, or expect no outputs")
    elif names:
        _check_output_names(parser.as_, names, where, notes)


def _check_output_names(given: str, names: list[str], where: DocumentPath, notes: Notes) -> None:
    """A command gives one output field, so exactly that one can be expected."""
    if given not in names:
        message = f"the output is called '{given}', which is not among expected_outputs"
        hint = name_hint(given, names, "expected")
        notes.add((*where, "as"), message, hint, "output")
        return
    for name in names:
        if name != given:
            message = f"the output '{name}' is expected, but the command only gives '{given}'"
            notes.add(where, message, f"remove '{name}' from expected_outputs", "output")


def _check_jc(parser: ParserSpec, where: DocumentPath, notes: Notes) -> None:
    if parser.name is None:
        notes.add(where, "the parser jc needs a 'name'", "add 'name: ...', like ps or df", "parser")
        return
    known = _jc_parsers()
    if parser.name.replace("-", "_") not in known:
        message = f"jc has no parser '{parser.name}'"
        near = name_hint(parser.name, sorted(known)).rpartition("known: ")[0]
        notes.add((*where, "name"), message, f"{near}'jc --help' lists all", "parser")


@lru_cache(maxsize=1)
def _jc_parsers() -> frozenset[str]:
    # jc carries no types; streaming parsers are left out because a whole output is parsed at once.
    jc = cast("Any", importlib.import_module("jc"))
    names = cast("list[str]", jc.parser_mod_list())
    streaming = set(cast("list[str]", jc.streaming_parser_mod_list()))
    return frozenset(names) - streaming


def _check_regex_parser(parser: ParserSpec, where: DocumentPath, notes: Notes) -> None:
    if parser.pattern is None:
        message = "the parser regex needs a 'pattern'"
        notes.add(where, message, "add a regular expression with named groups", "parser")
        return
    problem = regex_problem(parser.pattern)
    if problem:
        notes.add((*where, "pattern"), problem, REGEX_HINT, "regex")
    elif not re.compile(parser.pattern).groupindex:
        message = "the regular expression has no named group, so its matches would be empty"
        notes.add((*where, "pattern"), message, "name groups: (?P<size>[0-9]+)", "regex")


class _SchemaError(Protocol):
    message: str
    absolute_path: Iterable[str | int]


def _check_schema(schema: dict[str, JsonValue], where: DocumentPath, notes: Notes) -> None:
    error = _schema_error(schema)
    if error is not None:
        place = (*where, *error.absolute_path)
        message = f"not a JSON Schema: {error.message}"
        notes.add(place, message, "see json-schema.org, draft 2020-12", "schema")
        return
    for place in _outside_references(schema, where):
        notes.add(
            place, "'$ref' leads out of this schema", "refer to '#/...' inside the schema", "schema"
        )


def _schema_error(schema: JsonValue) -> _SchemaError | None:
    """The most telling error of a schema by the meta schema of draft 2020-12."""
    if is_plain_schema(schema):
        return None
    import jsonschema

    untyped = cast("Any", jsonschema)  # its stubs are partial here
    validator = untyped.Draft202012Validator(untyped.Draft202012Validator.META_SCHEMA)
    best = untyped.exceptions.best_match(validator.iter_errors(schema))
    return cast("_SchemaError | None", best)


def _outside_references(schema: JsonValue, where: DocumentPath) -> Iterator[DocumentPath]:
    """Places of references that would have to be fetched from somewhere."""
    if isinstance(schema, Mapping):
        fields = cast("Mapping[str, JsonValue]", schema)
        target = fields.get("$ref")
        if isinstance(target, str) and not target.startswith("#"):
            yield (*where, "$ref")
        for key, value in fields.items():
            yield from _outside_references(value, (*where, key))
    elif isinstance(schema, list):
        for at, value in enumerate(cast("list[JsonValue]", schema)):
            yield from _outside_references(value, (*where, at))


def _check_function(name: str, where: DocumentPath, notes: Notes) -> None:
    known = sorted(entry.name for entry in entry_points(group=FUNCTION_GROUP))
    if name not in known:
        message = f"no Python function '{name}' is registered"
        hint = name_hint(name, known) or f"register it as entry point in the group {FUNCTION_GROUP}"
        notes.add(where, message, hint, "function")
