"""Executing a binding: the one place that knows the kinds of bindings.

A new kind is added here, in spec/binding.py and in spec/check_binding.py. Does not belong here:
facts, retries, mapping.
"""

from __future__ import annotations

import errno
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tool_catalog_pipelines.execution.command import render_command
from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.parsing import parse_output
from tool_catalog_pipelines.execution.processes import Command, Ended, run
from tool_catalog_pipelines.execution.python_functions import FunctionContext, call_function
from tool_catalog_pipelines.execution.requirements import SEARCH_PATH
from tool_catalog_pipelines.execution.secrets import UsedSecrets
from tool_catalog_pipelines.facts import Status
from tool_catalog_pipelines.spec.binding import (
    Binding,
    CommandBinding,
    HttpBinding,
    ParserSpec,
    PythonBinding,
)

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
    secrets: UsedSecrets,
) -> tuple[Status, Any]:
    """Execute and parse.

    Raises:
        AttemptError: it failed, timed out or was cancelled; `usage` is filled all the same.
    """
    if isinstance(binding, PythonBinding):
        output = call_function(binding.function, context, inputs)
        return "success", output
    if isinstance(binding, HttpBinding):
        return _call(binding, inputs, timeout_s, usage, secrets)
    if binding.target is not None:
        message = f"it runs on the host of '{binding.target}', and there are no connections yet"
        raise AttemptError("NotExecutable", message)
    spill_path = context.work_dir / context.run_id / f"{context.step}.stdout"
    command = render_command(binding, inputs, secrets, timeout_s, spill_path)
    return _run_command(binding, command, usage, secrets)


def _call(
    binding: HttpBinding,
    inputs: Mapping[str, Any],
    timeout_s: float,
    usage: Usage,
    secrets: UsedSecrets,
) -> tuple[Status, Any]:
    # Every process that runs steps would pay for its import, few call anything.
    from tool_catalog_pipelines.execution.http_call import send
    from tool_catalog_pipelines.execution.http_request import render_request

    request = render_request(binding, inputs, secrets, timeout_s)
    answer = send(request)
    usage.output_bytes = len(answer.body)
    body = secrets.hidden_bytes(answer.body)
    if answer.status in binding.success_statuses:
        return "success", parse_output(binding.output, body)
    if answer.status in binding.no_result_statuses:
        return "no_result", _empty(binding.output)
    said = body.decode("utf-8", "replace").strip()[:STDERR_SHOWN]
    what = f"{request.shown}: HTTP {answer.status} {answer.reason}"
    raise AttemptError(
        "HttpFailed",
        what + (f": {said}" if said else ""),
        is_transient=answer.status in binding.transient_statuses,
    )


def _run_command(
    binding: CommandBinding, command: Command, usage: Usage, secrets: UsedSecrets
) -> tuple[Status, Any]:
    try:
        ended = run(command)
    except OSError as error:
        raise _not_started(command.argv[0], error) from error
    usage.exit_code = ended.exit_code
    usage.cpu_seconds = ended.cpu_seconds
    usage.peak_memory_bytes = ended.peak_memory_bytes
    usage.output_bytes = ended.output_bytes
    ended = replace(
        ended,
        stdout=secrets.hidden_bytes(ended.stdout),
        stderr=secrets.hidden_bytes(ended.stderr),
    )
    return _judged(binding, ended, command.argv[0], command.timeout_s)


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
    return _empty(binding.output)


def _empty(parser: ParserSpec) -> dict[str, Any]:
    empty: dict[str, Any] = {"text": "", "lines": [], "regex": [], "json": [], "jc": []}
    return {} if parser.parser == "none" else {parser.as_: empty[parser.parser]}


def _signal(number: int) -> str:
    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:
        return str(number)
