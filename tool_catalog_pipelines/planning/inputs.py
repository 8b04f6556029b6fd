"""The inputs of a run: what was given, completed by defaults, converted and checked.

The one gate for the command line, the launchpad and the Python API. Does not belong here: inputs
of tools (arguments.py before the run, execution/inputs.py in it).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.chain import ChainInputSpec
from tool_catalog_pipelines.spec.notes import name_hint
from tool_catalog_pipelines.spec.values import coerce_value, value_problem


def check_inputs(
    declared: Mapping[str, ChainInputSpec], given: Mapping[str, Any], where: str
) -> dict[str, Any]:
    """The value of every declared input.

    Texts are converted where nothing can be lost (`"5"` to 5, `"true"` to true, JSON text to a
    list or mapping), because a command line knows only texts.

    Args:
        declared: the chain's inputs.
        given: values by name.
        where: what the inputs belong to, put before each message: `chain host_health`.

    Raises:
        InvalidInputError: every unknown name, missing value and value that does not fit.
    """
    problems = [
        Problem(
            f"{where}: there is no input {name!r}", None, _known(name, declared), "unknown_input"
        )
        for name in given
        if name not in declared
    ]
    values: dict[str, Any] = {}
    for name, spec in declared.items():
        if name not in given and spec.is_required:
            hint = f"{spec.type}: {spec.description}"
            problems.append(
                Problem(f"{where}: the input {name!r} is missing", None, hint, "missing_input")
            )
            continue
        value, problem = _checked(spec, given[name]) if name in given else (spec.default, None)
        values[name] = value
        if problem:
            message = f"{where}: the input {name!r} {problem}"
            problems.append(Problem(message, None, spec.description, "input_value"))
    if problems:
        raise InvalidInputError(problems)
    return values


def _known(name: str, declared: Mapping[str, ChainInputSpec]) -> str:
    return name_hint(name, declared) or "it takes no inputs"


def _checked(spec: ChainInputSpec, value: JsonValue) -> tuple[JsonValue, str | None]:
    """The converted value, and what is wrong with it. Null is fine where it is the default."""
    if value is None and spec.default is None:
        return None, None
    try:
        converted = coerce_value(_read_json(spec, value), spec.type)
    except ValueError as error:
        return value, str(error)
    problem = value_problem(converted, spec.type, spec.range, spec.allowed_values, spec.validation)
    return converted, problem


def _read_json(spec: ChainInputSpec, value: JsonValue) -> JsonValue:
    """A list or mapping that was given as JSON text; anything else as it is."""
    if spec.type not in ("array", "object") or not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return value


def _refuse_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not JSON")
