"""Where step outputs wait for later steps: one JSON file per step and run.

A file rather than memory, so that every executor, and a run resumed from a failure, reads the
same thing. Does not belong here: what an output holds (execution/result.py).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import dagster as dg

from tool_catalog_pipelines.errors import TerminalError
from tool_catalog_pipelines.execution.result import StepResult
from tool_catalog_pipelines.settings import load_settings


def step_output_io_manager() -> dg.IOManagerDefinition:
    """The IO manager of all chain jobs, keeping outputs under `$TOOL_CATALOG_HOME/outputs`."""
    return dg.IOManagerDefinition.hardcoded_io_manager(StepOutputs(load_settings().outputs_dir))


class StepOutputs(dg.IOManager):
    """Writes each StepResult whole (temporary file, then rename) and reads it back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def handle_output(self, context: dg.OutputContext, obj: StepResult) -> None:
        """Store the result of one step."""
        path = self._path(context.run_id, context.step_key)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.part")
        draft.write_text(json.dumps(obj.to_json(), ensure_ascii=False), encoding="utf-8")
        draft.replace(path)

    def load_input(self, context: dg.InputContext) -> StepResult:
        """Read the result of the upstream step, of this run or of the run it resumes.

        Raises:
            TerminalError: the file is gone, for instance because old outputs were deleted.
        """
        upstream = context.upstream_output
        if upstream is None:
            raise TerminalError("a chain step has no input but the outputs of other steps")
        path = self._path(upstream.run_id, upstream.step_key)
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise TerminalError(
                f"the output of step {upstream.step_key} of run {upstream.run_id} is gone; "
                "start the chain anew instead of resuming it"
            ) from error
        return StepResult.from_json(json.loads(text))

    def _path(self, run_id: str, step_key: str) -> Path:
        return self._folder / run_id / f"{step_key}.json"


def read_result(folder: Path, run_id: str, step_id: str) -> StepResult | None:
    """The stored result of a step, or None if the step left none."""
    path = folder / run_id / f"{step_id}.json"
    if not path.exists():
        return None
    return StepResult.from_json(json.loads(path.read_text(encoding="utf-8")))
