"""The process of one trial: makes the surroundings, makes the call, compares.

It has its own limits and no way to the database, to settings or to secrets. Whoever forked it
watches it (worker.py). Does not belong here: deciding what to run.
"""

from __future__ import annotations

import base64
import json
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tool_catalog_pipelines.errors import ToolCatalogError
from tool_catalog_pipelines.execution.binding import Usage, execute_binding
from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.inputs import checked_inputs
from tool_catalog_pipelines.execution.measures import variables_measured
from tool_catalog_pipelines.execution.parsing import check_output
from tool_catalog_pipelines.execution.python_functions import FunctionContext
from tool_catalog_pipelines.execution.requirements import SEARCH_PATH
from tool_catalog_pipelines.execution.secrets import UsedSecrets
from tool_catalog_pipelines.execution.trials.case import Case
from tool_catalog_pipelines.execution.trials.expectation import difference
from tool_catalog_pipelines.execution.trials.loopback import served
from tool_catalog_pipelines.spec.example import Base64Spec, ExampleSpec, filled

PREPARE_S = 20.0
FILE_BYTES = 512 * 1024 * 1024
OPEN_FILES = 1024
SHOWN_CHARACTERS = 2_000


def limit_resources(timeout_s: float) -> None:
    """Limits of this process and of all that it starts; what they do not bound is watched."""
    cpu_s = int(timeout_s + PREPARE_S) * 4
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES, hard), hard))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a case failed (empty if it passed), and the beginning of its output as JSON."""

    failure: str = ""
    output: str = ""


def verdict_on(case: Case, folder: Path) -> Verdict:
    """Run a case inside an empty folder."""
    scratch = folder / "scratch"
    scratch.mkdir()
    example = case.example
    try:
        with served(example.serve, scratch) as places:
            everywhere = {"scratch": str(scratch), **places}
            _make_files(example, scratch, everywhere)
            _prepare(example, scratch, everywhere)
            return _call(case, folder, everywhere)
    except (ToolCatalogError, OSError) as error:
        return Verdict(str(error))


def _make_files(example: ExampleSpec, scratch: Path, places: dict[str, str | int]) -> None:
    for name, content in example.files.items():
        path = scratch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Base64Spec):
            path.write_bytes(base64.b64decode(content.base64))
        else:
            path.write_text(str(filled(content, places)), encoding="utf-8")


def _prepare(example: ExampleSpec, scratch: Path, places: dict[str, str | int]) -> None:
    environment = {"PATH": SEARCH_PATH, "HOME": str(scratch), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    for argv in example.prepare:
        rendered = [str(filled(text, places)) for text in argv]
        try:
            done = subprocess.run(
                rendered, cwd=scratch, env=environment, stdin=subprocess.DEVNULL,
                capture_output=True, timeout=PREPARE_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise AttemptError("Prepare", f"{rendered[0]} took more than {PREPARE_S:g} s") from None
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip()[-500:]
            raise AttemptError("Prepare", f"{rendered[0]}: exit code {done.returncode}: {said}")


def _call(case: Case, folder: Path, places: dict[str, str | int]) -> Verdict:
    example, pattern, binding = case.example, case.pattern, case.pattern.binding
    if binding is None:
        return Verdict("it has no binding")
    arguments = {name: filled(value, places) for name, value in example.inputs.items()}
    secrets = UsedSecrets(lambda name: f"stand-in for {name}")
    context = FunctionContext(folder / "work", folder / "reports", "trial", "trial", "trial")
    said = ""
    output = None
    try:
        inputs = checked_inputs(pattern, arguments, None)
        status, output = execute_binding(
            binding, inputs, context, example.timeout_s, Usage(), secrets
        )
        if status == "success":
            check_output(pattern.expected_outputs, output)
            _check_measured(case, inputs, output)
    except AttemptError as error:
        status, said = error.status, str(error)
    if status != example.expected_status:
        what = f"it ended as {status}, not as {example.expected_status}"
        return Verdict(what + (f": {said}" if said else ""))
    wanted = filled(example.expect.output, places)
    failure = difference(wanted, output) if wanted is not None else None
    return Verdict(failure or "", json.dumps(output, ensure_ascii=False)[:SHOWN_CHARACTERS])


def _check_measured(case: Case, inputs: dict[str, object], output: object) -> None:
    """A variable that promises a measured value must find one, or estimates never learn."""
    measured = variables_measured(case.pattern, inputs, output)
    for name, spec in case.pattern.variables.items():
        if spec.measured is not None and name not in measured:
            message = f"the variable {name} finds no value at {spec.measured!r}"
            raise AttemptError("MeasureError", message)
