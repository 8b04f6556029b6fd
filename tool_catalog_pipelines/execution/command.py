"""Command binding -> argv, environment, standard input. Values never reach a shell.

Does not belong here: running the command (processes.py), reading its output (parsing.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.spec.binding import CommandBinding, IfArgument

_TOKEN = re.compile(r"\{\{|\}\}|\{(?P<name>[a-z][a-z0-9_]*)\}")


def render_argv(binding: CommandBinding, inputs: Mapping[str, Any]) -> list[str]:
    """The argument list; every input value stays inside its own argument.

    Raises:
        AttemptError: a value holds a NUL character, which no argument can.
    """
    argv: list[str] = []
    for element in binding.argv:
        if isinstance(element, IfArgument):
            chosen = element.then if _is_given(inputs.get(element.if_)) else element.else_
            for text in chosen:
                argv.extend(_arguments(text, inputs))
        else:
            argv.extend(_arguments(element, inputs))
    if any("\0" in argument for argument in argv):
        raise AttemptError("InputError", "an input holds a NUL character, which no command takes")
    return argv


def render_text(text: str, inputs: Mapping[str, Any]) -> str:
    """A text with its placeholders filled; `{{` and `}}` are braces."""

    def replacement(match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:
            return match.group()[0]
        return _as_text(inputs.get(name))

    return _TOKEN.sub(replacement, text)


def _arguments(text: str, inputs: Mapping[str, Any]) -> Iterator[str]:
    """One argument, or one per element where the whole argument is a placeholder for an array."""
    match = _TOKEN.fullmatch(text)
    value = inputs.get(match["name"]) if match and match["name"] else None
    if isinstance(value, list):
        yield from (_as_text(element) for element in cast("list[Any]", value))
    else:
        yield render_text(text, inputs)


def _is_given(value: Any) -> bool:
    return value is not None and value is not False and value != ""


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)
