"""Executing a binding: the one place that knows the kinds of bindings.

A new kind is added here and in spec/tool.py. Does not belong here: facts, retries, mapping.
"""

from __future__ import annotations

import errno
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tool_catalog_pipelines.execution.command import render_argv, render_text
from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.parsing import parse_output
from tool_catalog_pipelines.execution.processes import Command, Ended, run
from tool_catalog_pipelines.execution.python_functions import FunctionContext, call_function
from tool_catalog_pipelines.execution.requirements import SEARCH_PATH
from tool_catalog_pipelines.facts import Status
from tool_catalog_pipelines.spec.binding import Binding, CommandBinding, HttpBinding, PythonBinding

STDERR_SHOWN = 1500


@dataclass(slots=True)
class Usage:
    """What an attempt has used so far; kept apart so that a failed attempt reports it too."""

    exit_code: int | None = None
    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None
    output_bytes: int | None = None


def execute_binding(
    binding: Binding,
    inputs: Mapping[str, Any],
    context: FunctionContext,
    timeout_s: float,
    usage: Usage,
) -> tuple[Status, Any]:
    """Execute and parse.

    Raises:
        AttemptError: it failed, timed out or was cancelled; `usage` is filled all the same.
    """
    if isinstance(binding, PythonBinding):
        output = call_function(binding.function, context, inputs)
        return "success", output
    if isinstance(binding, HttpBinding):
        raise AttemptError("NotExecutable", "an http binding cannot be executed by this release")
    if binding.target is not None:
        message = f"it runs on the host of '{binding.target}', and there are no connections yet"
        raise AttemptError("NotExecutable", message)
    return _run_command(binding, inputs, context, timeout_s, usage)


def _run_command(
    binding: CommandBinding,
    inputs: Mapping[str, Any],
    context: FunctionContext,
    timeout_s: float,
    usage: Usage,
) -> tuple[Status, Any]:
    argv = render_argv(binding, inputs)
    command = Command(
        argv=argv,
        env=_environment(binding, inputs),
        cwd=Path(render_text(binding.cwd, inputs)) if binding.cwd else None,
        stdin=render_text(binding.stdin, inputs).encode() if binding.stdin is not None else None,
        timeout_s=timeout_s,
        max_output_bytes=binding.max_output_bytes,
        spill_path=context.work_dir / context.run_id / f"{context.step}.stdout",
    )
    try:
        ended = run(command)
    except OSError as error:
        raise _not_started(argv[0], error) from error
    usage.exit_code = ended.exit_code
    usage.cpu_seconds = ended.cpu_seconds
    usage.peak_memory_bytes = ended.peak_memory_bytes
    usage.output_bytes = ended.output_bytes
    return _judged(binding, ended, argv[0], timeout_s)


def _environment(binding: CommandBinding, inputs: Mapping[str, Any]) -> dict[str, str]:
    """A small, predictable environment: what tools print must not depend on who started us."""
    own = {name: render_text(text, inputs) for name, text in binding.env.items()}
    base = {
        "PATH": SEARCH_PATH,
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }
    return {**base, **own}


def _not_started(program: str, error: OSError) -> AttemptError:
    if isinstance(error, FileNotFoundError) and shutil.which(program, path=SEARCH_PATH) is None:
        message = f"the program {program} is not installed on this machine; install it"
        return AttemptError("CommandNotFound", message)
    is_transient = isinstance(error, BlockingIOError) or error.errno == errno.ENOMEM
    return AttemptError(
        "StartError", f"{program} cannot be started: {error}", is_transient=is_transient
    )


def _judged(
    binding: CommandBinding, ended: Ended, program: str, timeout_s: float
) -> tuple[Status, Any]:
    if ended.ending == "timeout":
        raise AttemptError(
            "Timeout",
            f"{program} did not end within {timeout_s:g} s and was stopped",
            status="timeout",
        )
    if ended.ending == "cancelled":
        raise AttemptError("Cancelled", f"{program} was stopped with its run", status="cancelled")
    if ended.ending == "flood" or ended.spilled_to is not None:
        raise AttemptError(
            "OutputTooLarge",
            f"{program} printed more than {binding.max_output_bytes} bytes; "
            f"the output is in {ended.spilled_to}",
        )
    return _by_exit_code(binding, ended, program)


def _by_exit_code(binding: CommandBinding, ended: Ended, program: str) -> tuple[Status, Any]:
    codes = binding.exit_codes
    if ended.exit_code in codes.success:
        return "success", parse_output(binding.output, ended.stdout)
    if ended.exit_code in codes.no_result:
        return "no_result", _empty_or_parsed(binding, ended)
    said = ended.stderr.decode("utf-8", "replace").strip()[-STDERR_SHOWN:]
    what = (
        f"ended by signal {_signal(-ended.exit_code)}"
        if ended.exit_code < 0
        else (f"exit code {ended.exit_code}")
    )
    raise AttemptError(
        "CommandFailed",
        f"{program}: {what}" + (f": {said}" if said else ""),
        is_transient=ended.exit_code in codes.transient,
    )


def _empty_or_parsed(binding: CommandBinding, ended: Ended) -> Any:
    """No result is an answer too: the empty value of the parser, unless something was printed."""
    if ended.stdout.strip():
        return parse_output(binding.output, ended.stdout)
    empty: dict[str, Any] = {"text": "", "lines": [], "regex": [], "json": [], "jc": []}
    parser = binding.output
    return {} if parser.parser == "none" else {parser.as_: empty[parser.parser]}


def _signal(number: int) -> str:
    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:
        return str(number)
