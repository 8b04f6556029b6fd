"""Questions about what comes out, and about one example of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

from tool_catalog_pipelines.catalog.drafting import checks, lines, proposals
from tool_catalog_pipelines.catalog.drafting.binding_questions import kind_is
from tool_catalog_pipelines.catalog.drafting.draft import input_names, output_type
from tool_catalog_pipelines.catalog.drafting.input_questions import typed_value
from tool_catalog_pipelines.catalog.drafting.question import PairsQuestion, Question, Situation
from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.spec.base import JsonValue, TypeName
from tool_catalog_pipelines.spec.notes import name_hint

_PARSERS = ("text", "lines", "json", "jc", "regex", "none")
_TYPES = get_args(TypeName)


def _has_output(now: Situation) -> bool:
    return now.text("kind") in ("command", "http") and output_type(now) is not None


def _type_is_open(now: Situation) -> bool:
    parser = now.answers.get("parser")
    kind = cast("Mapping[str, JsonValue]", parser).get("parser") if parser else None
    return _has_output(now) and kind in ("jc", "json")


def _check_parser(value: JsonValue, now: Situation) -> Problem | None:
    kind = cast("Mapping[str, JsonValue]", value).get("parser")
    return checks.one_of(_PARSERS, "parser")(kind, now)


def _inputs(text: str, now: Situation) -> JsonValue:
    """`name=value` pairs, each value of the type of its input; places like {scratch} stay."""
    values: dict[str, JsonValue] = {}
    names = input_names(now)
    for name, value in lines.read_pairs(text).items():
        if name not in names:
            known = name_hint(name, names, "inputs") or "the tool has no inputs"
            raise ValueError(f"there is no input {name!r}; {known}")
        type = now.text(f"inputs.{name}.type") or "string"
        is_place = value.startswith("{") and type in ("integer", "number")
        values[name] = value if is_place else _typed(name, value, type)
    return values


def _typed(name: str, value: str, type: str) -> JsonValue:
    try:
        return typed_value(value, type)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


OUTPUT_QUESTIONS = (
    Question(
        key="parser",
        text="How is its output read?",
        help="text: one text. lines: a list of lines. json: a JSON document. jc NAME: a parser of "
        "the library jc. regex PATTERN: one object per matching line, from named groups like "
        "(?P<size>[0-9]+). none: it has no output.",
        type="object",
        applies=kind_is("command", "http"),
        read=lambda text, _: lines.read_parser(text),
        show=lines.shown_parser,
        check=_check_parser,
        default=proposals.parser,
    ),
    Question(
        key="output_name",
        text="What is its output called?",
        help="The name under which later steps of a chain find it: small letters, digits and _.",
        applies=_has_output,
        default=proposals.output_name,
    ),
    Question(
        key="output_type",
        text="Is its output an array or an object?",
        help=f"One of {', '.join(_TYPES)}.",
        applies=_type_is_open,
        check=checks.one_of(_TYPES, "type"),
        default=proposals.type_of_output,
    ),
)
EXAMPLE_QUESTIONS = (
    PairsQuestion(
        key="example.inputs",
        text="With which inputs can it be tried?",
        help="name=value pairs. It runs with an empty folder, {scratch}; a test server on this "
        "machine is {http_url}, further places are {http_port}, {tcp_port}, {udp_port}, "
        "{dns_port}. An empty line takes what is proposed.",
        applies=lambda now: bool(input_names(now)),
        read=_inputs,
        default=proposals.example_inputs,
    ),
    PairsQuestion(
        key="example.files",
        text="Which files does this example need in its folder?",
        help="path=content pairs: 'notes.txt=one\\ntwo'; \\n begins a new line. The test server "
        "serves these files.",
        is_optional=True,
        applies=lambda now: "{" in str(now.answers.get("example.inputs")),
        default=proposals.example_files,
    ),
    Question(
        key="documentation_url",
        text="Where is its documentation?",
        help="The address of a page about the program or service.",
        is_optional=True,
        check=checks.check_address,
        default=proposals.documentation,
    ),
    Question(
        key="tags",
        text="Which tags does it get?",
        help="Words between commas, three or more.",
        type="array",
        is_optional=True,
        read=lambda text, _: lines.read_list(text, ","),
        show=lambda value: ", ".join(str(tag) for tag in cast("list[JsonValue]", value)),
        check=checks.check_tags,
        default=proposals.tags,
    ),
)
