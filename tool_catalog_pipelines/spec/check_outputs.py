"""Rules of a pattern's outputs: the parser that reads them, their names and schemas."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Protocol, cast

from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.binding import ParserSpec
from tool_catalog_pipelines.spec.check_inputs import REGEX_HINT, regex_problem
from tool_catalog_pipelines.spec.notes import Notes, name_hint
from tool_catalog_pipelines.spec.plain_schema import is_plain_schema
from tool_catalog_pipelines.spec.reader import DocumentPath
from tool_catalog_pipelines.spec.tool import PatternSpec


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


def check_parser(
    parser: ParserSpec, pattern: PatternSpec, where: DocumentPath, notes: Notes
) -> None:
    """The parser is complete, and gives the output that is expected."""
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
