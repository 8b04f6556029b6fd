"""Command binding -> argv, environment, standard input. Values never reach a shell.

Does not belong here: running the command (processes.py), reading its output (parsing.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.processes import Command
from tool_catalog_pipelines.execution.requirements import SEARCH_PATH
from tool_catalog_pipelines.execution.secrets import UsedSecrets
from tool_catalog_pipelines.execution.texts import as_text, filled_text, only_placeholder
from tool_catalog_pipelines.spec.binding import CommandBinding, IfArgument

_ENVIRONMENT = {
    "PATH": SEARCH_PATH,
    # Nobody, not even root, can make a folder there, so that nothing is left in a home.
    "HOME": "/proc/nonexistent",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
}
"""Small and predictable: what tools print must not depend on who started us."""


def render_command(
    binding: CommandBinding,
    inputs: Mapping[str, Any],
    secrets: UsedSecrets,
    timeout_s: float,
    spill_path: Path,
) -> Command:
    """The command with every value in its place.

    Raises:
        AttemptError: a value that no argument can hold, or a secret that nobody has set.
    """

    def text(template: str) -> str:
        return filled_text(template, inputs, secrets)

    return Command(
        argv=render_argv(binding, inputs, secrets),
        env={**_ENVIRONMENT, **{name: text(value) for name, value in binding.env.items()}},
        cwd=Path(text(binding.cwd)) if binding.cwd else None,
        stdin=text(binding.stdin).encode() if binding.stdin is not None else None,
        timeout_s=timeout_s,
        max_output_bytes=binding.max_output_bytes,
        spill_path=spill_path,
    )


def render_argv(
    binding: CommandBinding, inputs: Mapping[str, Any], secrets: UsedSecrets | None = None
) -> list[str]:
    """The argument list; every input value stays inside its own argument.

    Raises:
        AttemptError: a value holds a NUL character, which no argument can.
    """
    argv: list[str] = []
    for element in binding.argv:
        if isinstance(element, IfArgument):
            chosen = element.then if _is_given(inputs.get(element.if_)) else element.else_
        else:
            chosen = (element,)
        for text in chosen:
            argv.extend(_arguments(text, inputs, secrets))
    if any("\0" in argument for argument in argv):
        raise AttemptError("InputError", "an input holds a NUL character, which no command takes")
    return argv


def _arguments(text: str, inputs: Mapping[str, Any], secrets: UsedSecrets | None) -> Iterator[str]:
    """One argument, or one per element where the whole argument is a placeholder for an array."""
    name = only_placeholder(text)
    value = inputs.get(name) if name else None
    if isinstance(value, list):
        yield from (as_text(element) for element in cast("list[Any]", value))
    else:
        yield filled_text(text, inputs, secrets)


def _is_given(value: Any) -> bool:
    return value is not None and value is not False and value != ""
