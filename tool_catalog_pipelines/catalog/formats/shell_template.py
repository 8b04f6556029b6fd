"""A shell string with `{parameter}` placeholders -> argv without a shell, or the reason why not.

Only what means the same without a shell is taken; everything else would have to be guessed.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from tool_catalog_pipelines.spec.base import JsonValue

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SHELL_MARKS = re.compile(r"[|&;<>`$()*?\[\]~#!\\\n\r\0^%]")
_LONGEST = 4000
_PLAIN_TYPES = ("string", "integer", "number")


class NotPlainError(Exception):
    """A shell string that means something only to a shell; the text says what."""


def argv_of(
    template: str, inputs: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]
) -> list[JsonValue]:
    """The arguments of a command binding.

    Args:
        template: the shell string.
        inputs: what is declared, by our names, with `is_sure` for those that always have a value.
        names: our name of each written parameter.

    Raises:
        NotPlainError: it needs a shell, or cannot be told apart.
    """
    if len(template) > _LONGEST:
        raise NotPlainError("it is too long")
    without = _PLACEHOLDER.sub("x", template)
    mark = _SHELL_MARKS.search(without)
    if mark is not None:
        raise NotPlainError(f"the shell acts on {mark[0]!r}")
    if "{" in without or "}" in without:
        raise NotPlainError("it holds braces that are no placeholder")
    try:
        parts = shlex.split(template)
    except ValueError as error:
        raise NotPlainError(f"its quotes are not closed: {error}") from None
    if not parts or _PLACEHOLDER.search(parts[0]) or "=" in parts[0]:
        raise NotPlainError("it does not begin with the fixed name of a program")
    return [_argument(part, inputs, names) for part in parts]


def _argument(
    part: str, inputs: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]
) -> JsonValue:
    for match in _PLACEHOLDER.finditer(part):
        declared = inputs.get(names.get(match[1], ""))
        if declared is None:
            raise NotPlainError(f"{match[0]} is no parameter")
        if declared["type"] not in _PLAIN_TYPES:
            raise NotPlainError(f"{match[0]} is neither text nor number")
        if not declared["is_sure"]:
            raise NotPlainError(f"{match[0]} may have no value")
    return _PLACEHOLDER.sub(lambda match: f"{{{names[match[1]]}}}", part)
