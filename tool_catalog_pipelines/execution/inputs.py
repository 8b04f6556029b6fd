"""Arguments of a step -> inputs of a pattern: defaults, conversion, checks, redaction."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tool_catalog_pipelines.errors import Position
from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.spec.tool import InputSpec, PatternSpec
from tool_catalog_pipelines.spec.values import coerce_value, value_problem

_SECRET_NAME = re.compile(r"password|passwd|secret|token|api_?key|credential", re.IGNORECASE)


def checked_inputs(
    pattern: PatternSpec, arguments: Mapping[str, Any], position: Position | None
) -> dict[str, Any]:
    """The inputs of an execution, complete with defaults.

    Raises:
        AttemptError: an input is missing, unknown or not acceptable; names all of them.
    """
    declared = pattern.inputs
    problems = [f"unknown input {name}" for name in arguments if name not in declared]
    required = {spec.name for spec in pattern.required_inputs}
    inputs: dict[str, Any] = {}
    for name, spec in declared.items():
        value = arguments.get(name)
        value = spec.default if value is None else value
        if value is None:
            problems += [f"the input {name} is missing"] if name in required else []
            continue
        value, problem = _checked(spec, value)
        problems += [f"the input {name}: {problem}"] if problem else []
        inputs[name] = value
    if problems:
        raise AttemptError("InputError", "; ".join(problems), position=position)
    return inputs


def _checked(spec: InputSpec, value: Any) -> tuple[Any, str | None]:
    try:
        converted = coerce_value(value, spec.type)
    except ValueError as error:
        return value, "a value that may not be shown" if is_secret(spec.name) else str(error)
    problem = value_problem(converted, spec.type, spec.range, spec.allowed_values, spec.validation)
    return converted, problem


def is_secret(name: str) -> bool:
    """True if values of an input of that name must not be shown."""
    return _SECRET_NAME.search(name) is not None


def redacted(text: str, inputs: Mapping[str, Any]) -> str:
    """The text without the values of secret inputs."""
    for name, value in inputs.items():
        if is_secret(name) and isinstance(value, str) and value:
            text = text.replace(value, "***")
    return text
