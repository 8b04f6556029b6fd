"""Reports: named sections of any shape as Markdown for people and JSON for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.python_functions import FunctionContext

MAX_ROWS = 50
MAX_CELL = 160
_UNSAFE = re.compile(r"[^a-z0-9]+")


def render_report(
    context: FunctionContext,
    title: str,
    sections: Mapping[str, Any],
    formats: Sequence[str] = ("markdown", "json"),
) -> dict[str, Any]:
    """Write the report files, each whole or not at all, and return their paths."""
    renderers = {"markdown": _markdown, "json": _json}
    unknown = [name for name in formats if name not in renderers]
    if unknown:
        raise AttemptError("InputError", f"unknown formats: {', '.join(unknown)}; markdown or json")
    folder = context.reports_dir / context.chain / context.run_id
    folder.mkdir(parents=True, exist_ok=True)
    stem = _UNSAFE.sub("_", title.lower()).strip("_") or "report"
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    files: dict[str, str] = {}
    for name in formats:
        ending = {"markdown": "md", "json": "json"}[name]
        path = folder / f"{stem}.{ending}"
        _write(path, renderers[name](title, now, context, sections))
        files[name] = str(path)
    return {"files": files, "sections": len(sections)}


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(f"{path.suffix}.part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _json(title: str, now: str, context: FunctionContext, sections: Mapping[str, Any]) -> str:
    document = {"title": title, "made_at": now, "run_id": context.run_id, "sections": sections}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _markdown(title: str, now: str, context: FunctionContext, sections: Mapping[str, Any]) -> str:
    head = f"# {title}\n\nChain {context.chain}, run {context.run_id}, {now}\n"
    parts = [f"\n## {name.capitalize()}\n\n{_section(value)}\n" for name, value in sections.items()]
    return head + "".join(parts)


def _section(value: Any) -> str:
    if value is None or value in ([], {}, ""):
        return "Nothing to report."
    if isinstance(value, Mapping):
        return _object(cast("Mapping[str, Any]", value))
    if isinstance(value, list):
        rows = cast("list[Any]", value)
        is_table = all(isinstance(row, Mapping) for row in rows)
        return _table(rows) if is_table else _bullets(rows)
    return _cell(value)


def _object(fields: Mapping[str, Any]) -> str:
    """An object: nested tables by name, the rest as a list of facts."""
    if len(fields) == 1:
        return _section(next(iter(fields.values())))
    return "\n".join(f"- {name}: {_cell(value)}" for name, value in fields.items())


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    shown = rows[:MAX_ROWS]
    columns = list(dict.fromkeys(name for row in shown for name in row))
    lines = [f"| {' | '.join(map(_cell, columns))} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(_cell(row.get(name)) for name in columns)} |" for row in shown]
    return "\n".join(lines) + _more(len(rows))


def _bullets(values: Sequence[Any]) -> str:
    return "\n".join(f"- {_cell(value)}" for value in values[:MAX_ROWS]) + _more(len(values))


def _more(total: int) -> str:
    return f"\n\n... and {total - MAX_ROWS} more" if total > MAX_ROWS else ""


def _cell(value: Any) -> str:
    """A value on one line of Markdown, cut short."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    text = text if len(text) <= MAX_CELL else text[: MAX_CELL - 3] + "..."
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
