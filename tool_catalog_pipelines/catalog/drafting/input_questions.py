"""Questions about each input that the binding uses: type, description, default, rules."""

from __future__ import annotations

import json
from typing import cast, get_args

from tool_catalog_pipelines.catalog.drafting import checks, lines, proposals
from tool_catalog_pipelines.catalog.drafting.draft import input_names, may_be_left_out
from tool_catalog_pipelines.catalog.drafting.question import Question, Situation
from tool_catalog_pipelines.spec.base import JsonValue, TypeName
from tool_catalog_pipelines.spec.values import coerce_value

_TYPES = get_args(TypeName)


def input_questions(now: Situation) -> tuple[Question, ...]:
    """The questions about every input, in the order of the binding."""
    return tuple(question for name in input_names(now) for question in _about(name, now))


def typed_value(text: str, type: str) -> JsonValue:
    """A typed text as a value of a declared type; ValueError if it is none."""
    if type in ("array", "object"):
        return lines.read_json(text)
    try:
        return coerce_value(text, cast("TypeName", type))
    except ValueError as error:
        raise ValueError(f"it {error}; correct the value") from None


def shown_value(value: JsonValue) -> str:
    """A value as it would be typed."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _about(name: str, now: Situation) -> tuple[Question, ...]:
    left_out = "it is left out" if may_be_left_out(now, name) else "whoever calls must give it"
    return (
        Question(
            key=f"inputs.{name}.type",
            text=f"Input {name}: which type?",
            help=f"One of {', '.join(_TYPES)}. An array as a whole argument becomes one argument "
            "per element.",
            check=checks.one_of(_TYPES, "type"),
            default=lambda now: proposals.input_type(now, name),
        ),
        Question(
            key=f"inputs.{name}.description",
            text=f"Input {name}: what is it?",
            help="One sentence for whoever fills it in.",
            check=checks.check_text,
            default=lambda now: proposals.input_description(now, name),
        ),
        Question(
            key=f"inputs.{name}.default",
            text=f"Input {name}: which value if none is given?",
            help=f"Without a default {left_out}. Lists and objects are written as JSON.",
            type=None,
            is_optional=True,
            default=lambda now: _declared_default(now, name),
            read=lambda text, now: typed_value(text, _type_of(now, name)),
            show=shown_value,
        ),
        Question(
            key=f"inputs.{name}.range",
            text=f"Input {name}: smallest and largest number?",
            help="Two numbers, like 1 100; values outside are refused before anything is started.",
            type="array",
            is_optional=True,
            applies=lambda now: _type_of(now, name) in ("integer", "number"),
            read=lambda text, _: [lines.number_of(word) for word in text.replace(",", " ").split()],
            show=lambda value: " ".join(str(bound) for bound in cast("list[JsonValue]", value)),
        ),
        Question(
            key=f"inputs.{name}.validation",
            text=f"Input {name}: which regular expression must it match?",
            help="As in Python, searched in the value; ^ and $ tie it to beginning and end. "
            "^[^-] keeps a value from being taken for an option.",
            is_optional=True,
            applies=lambda now: _type_of(now, name) == "string",
            default=lambda now: proposals.input_validation(now, name),
        ),
    )


def _type_of(now: Situation, name: str) -> str:
    return now.text(f"inputs.{name}.type") or "string"


def _declared_default(now: Situation, name: str) -> JsonValue:
    declared = proposals.parameter(now, name)
    value: JsonValue = declared.default if declared else None
    return list(cast("tuple[JsonValue, ...]", value)) if isinstance(value, tuple) else value
