"""Standard output -> the output object of a command binding, and its check against the schema."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Protocol, cast

from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.expressions.regexes import Deadline, SlowRegexError, search
from tool_catalog_pipelines.spec.binding import ParserSpec
from tool_catalog_pipelines.spec.load import canonical_json
from tool_catalog_pipelines.spec.tool import OutputSpec
from tool_catalog_pipelines.spec.values import has_type

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_LONGEST_PARSING_S = 30.0


class _SchemaError(Protocol):
    json_path: str
    message: str


class _Validator(Protocol):
    def iter_errors(self, instance: object) -> Iterable[_SchemaError]: ...


def parse_output(parser: ParserSpec, stdout: bytes) -> dict[str, Any]:
    """The output object `{as: value}`; empty for the parser `none`.

    Raises:
        AttemptError: invalid UTF-8, or text that the parser cannot read.
    """
    if parser.parser == "none":
        return {}
    try:
        text = stdout.decode("utf-8")
    except UnicodeDecodeError as error:
        raise AttemptError(
            "OutputError", f"the output is not UTF-8: invalid byte at offset {error.start}"
        ) from error
    return {parser.as_: _value(parser, text)}


def _value(parser: ParserSpec, text: str) -> Any:
    if parser.parser == "text":
        return text.rstrip("\n")
    if parser.parser == "lines":
        return text.splitlines()
    if parser.parser == "json":
        return _json(text)
    if parser.parser == "regex":
        return _matches(parser.pattern or "", text)
    return _jc(parser.name or "", text)


def _json(text: str) -> Any:
    if not text.strip():
        return []
    try:
        return json.loads(text)
    except ValueError as error:
        raise AttemptError("OutputError", f"the output is not JSON: {error}") from error


def _matches(pattern: str, text: str) -> list[dict[str, Any]]:
    """One object per line that matches; texts that are numbers become numbers."""
    deadline = Deadline(_LONGEST_PARSING_S)
    try:
        found = [search(pattern, line, deadline) for line in text.splitlines()]
    except SlowRegexError:
        raise AttemptError(
            "OutputError",
            f"the regular expression {pattern!r} takes more than {_LONGEST_PARSING_S:g} s",
        ) from None
    return [{k: _typed(v) for k, v in m.groupdict().items()} for m in found if m is not None]


def _typed(text: str | None) -> Any:
    if text is None or not _NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def _jc(name: str, text: str) -> Any:
    # jc's modules carry no types and import many parsers, so it is imported when first needed.
    jc = cast("Any", importlib.import_module("jc"))
    try:
        return jc.parse(name, text, quiet=True)
    except Exception as error:  # each parser of jc raises its own kinds of errors
        raise AttemptError(
            "OutputError", f"the jc parser {name} cannot read the output: {error}"
        ) from error


def check_output(outputs: tuple[OutputSpec, ...], output: Any) -> None:
    """Compare an output with what the pattern promises.

    Raises:
        AttemptError: names the field and the place in it.
    """
    if not outputs:
        return
    if not isinstance(output, Mapping):
        raise AttemptError("OutputError", "the output is not an object")
    fields = cast("Mapping[str, Any]", output)
    for spec in outputs:
        if spec.name not in fields:
            raise AttemptError("OutputError", f"the output lacks the field {spec.name}")
        _check_field(spec, fields[spec.name])


def _check_field(spec: OutputSpec, value: Any) -> None:
    if not has_type(value, spec.type):
        raise AttemptError(
            "OutputError", f"the output field {spec.name} is not of type {spec.type}"
        )
    if spec.schema_ is None:
        return
    for error in _validator(canonical_json(spec.schema_)).iter_errors(value):
        where = f"{spec.name}{error.json_path[1:]}"
        raise AttemptError("OutputError", f"the output does not match at {where}: {error.message}")


@lru_cache(maxsize=1024)
def _validator(schema: str) -> _Validator:
    from jsonschema import Draft202012Validator

    return cast("_Validator", Draft202012Validator(json.loads(schema)))
