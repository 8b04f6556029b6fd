"""How a step's result looks in the Dagster UI: metadata, previews, failure texts.

Values of inputs never appear here, only what execution/ already redacted and capped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import dagster as dg

from tool_catalog_pipelines.execution.result import StepResult
from tool_catalog_pipelines.facts import Execution
from tool_catalog_pipelines.orchestration.naming import metadata_key
from tool_catalog_pipelines.planning.plan import PlanStep

PREVIEW_ROWS = 10
PREVIEW_COLUMNS = 8
PREVIEW_CHARACTERS = 2000
_Scalar = str | int | float | bool


def step_metadata(step: PlanStep, result: StepResult) -> dict[str, Any]:
    """Metadata of one finished step: status, tool version, estimate against actual, preview."""
    metadata: dict[str, Any] = {metadata_key("status"): result.status}
    if result.reason:
        metadata[metadata_key("reason")] = result.reason
    if result.tool_label:
        metadata[metadata_key("tool")] = result.tool_label
    metadata.update(_execution_metadata(result.executions))
    preview = _preview(result.output)
    if preview is not None:
        metadata[metadata_key("output")] = preview
    if result.error is not None:
        metadata[metadata_key("error")] = failure_text(step, result)
    return metadata


def failure_text(step: PlanStep, result: StepResult) -> str:
    """What failed, where it was written, and why."""
    if result.error is None:
        return ""
    where = result.error.position or (str(step.position) if step.position else "")
    prefix = f"{where}: " if where else ""
    return f"{prefix}step {step.id}: {result.error.message}"


def _execution_metadata(executions: Sequence[Execution]) -> dict[str, Any]:
    if not executions:
        return {}
    last = executions[-1]
    metadata: dict[str, Any] = {
        metadata_key("duration_ms"): round(sum(fact.duration_ms for fact in executions), 3),
        metadata_key("estimate"): _estimate_text(executions),
        metadata_key("executions"): len(executions),
    }
    if last.exit_code is not None:
        metadata[metadata_key("exit_code")] = last.exit_code
    if last.experiment:
        arms = sorted({fact.arm or "" for fact in executions})
        metadata[metadata_key("experiment")] = f"{last.experiment}: arm {', '.join(arms)}"
    return metadata


def _estimate_text(executions: Sequence[Execution]) -> str:
    """Estimate against actual in words, with the basis of the estimate."""
    actual_ms = sum(fact.duration_ms for fact in executions)
    known = [fact.estimate_ms for fact in executions if fact.estimate_ms is not None]
    if len(known) < len(executions):
        return f"actual {actual_ms:.1f} ms, estimate unknown"
    estimate_ms = sum(known)
    ratio = f", actual/estimate {actual_ms / estimate_ms:.2f}" if estimate_ms > 0 else ""
    basis = executions[-1].estimate_basis
    return f"actual {actual_ms:.1f} ms, estimate {estimate_ms:.1f} ms ({basis}){ratio}"


def _preview(output: Any) -> Any:
    """A table for a list of objects, else a short JSON text."""
    if output is None:
        return None
    rows = _rows(output)
    if rows:
        return dg.MetadataValue.table([dg.TableRecord(row) for row in rows])
    text = json.dumps(output, indent=2, ensure_ascii=False, default=str)
    more = "\n..." if len(text) > PREVIEW_CHARACTERS else ""
    return dg.MetadataValue.md(f"```json\n{text[:PREVIEW_CHARACTERS]}{more}\n```")


def _rows(output: Any) -> list[dict[str, _Scalar]]:
    """The first list of objects in the output, flattened to scalars and cut to a screen."""
    value = output
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        value = next((field for field in fields.values() if _is_table(field)), None)
    if not _is_table(value):
        return []
    table = cast("list[Mapping[str, Any]]", value)[:PREVIEW_ROWS]
    columns = list(dict.fromkeys(name for row in table for name in row))[:PREVIEW_COLUMNS]
    return [{name: _scalar(row.get(name)) for name in columns} for row in table]


def _is_table(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(row, Mapping) for row in cast("list[Any]", value[:PREVIEW_ROWS]))


def _scalar(value: Any) -> _Scalar:
    if isinstance(value, bool | int | float):
        return value
    return "" if value is None else str(value)[:200]
