"""Jobs by which tools are managed from the Dagster UI: the same calls as those of the command line.

What the launchpad asks is in forms.py. Each op makes one change, shows what the audit log says
about it, and fails with the catalogue's own words.
"""

# Annotations stay types here: Dagster does not read a `context` whose type is a text.

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg

from tool_catalog_pipelines.catalog.export import export_files
from tool_catalog_pipelines.catalog.filters import ToolFilter, matching
from tool_catalog_pipelines.catalog.import_report import ImportReport
from tool_catalog_pipelines.catalog.importer import ImportRules, import_catalog
from tool_catalog_pipelines.catalog.naming import Chosen
from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.catalog.summary import ChangeSummary
from tool_catalog_pipelines.defs.forms import (
    ANY,
    ExportForm,
    ImportForm,
    PromoteForm,
    RollBackForm,
    ToolForm,
)
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.orchestration.changing import RunChange, changing
from tool_catalog_pipelines.orchestration.launchpad import launchpad_job
from tool_catalog_pipelines.orchestration.markdown import markdown_table
from tool_catalog_pipelines.orchestration.resources import CatalogResource
from tool_catalog_pipelines.spec.base import parse_tool_ref

SHOWN = 100
Result = dg.Output[dict[str, Any]]


@dg.op(description="Import tools and experiments from a file or folder of the server.")
def import_files(
    context: dg.OpExecutionContext, config: ImportForm, catalog: CatalogResource
) -> Result:
    """Import; files that are refused fail the run after everything else was imported."""
    with changing(context, catalog) as change:
        rules = ImportRules(config.on_conflict, config.dry_run, change.origin)
        path = Path(config.path) if config.path else None
        report = import_catalog(change.catalog, path, rules)
    shown = _report(report)
    if report.refused:
        raise dg.Failure(_refusal(report), metadata=shown, allow_retries=False)
    return dg.Output(dict(report.to_json()), metadata=shown)


@dg.op(description="Write tools as YAML files that import to the same tools again.")
def export_to_folder(
    context: dg.OpExecutionContext, config: ExportForm, catalog: CatalogResource
) -> Result:
    """Export what the form chooses."""
    with changing(context, catalog) as change:
        folder = Path(config.folder or change.catalog.settings.home / "exports")
        found = _wanted(change.catalog.seen(), config)
        files = export_files(found, folder)
    labels = [tool.label for tool in found]
    rows = [
        {"tool": label, "file": file.relative_to(folder)}
        for label, file in zip(labels, files, strict=True)
    ]
    return dg.Output(
        {"exported": labels, "output": str(folder)},
        metadata={
            "folder": str(folder),
            "tools": len(labels),
            "files": dg.MetadataValue.md(markdown_table(rows[:SHOWN], len(rows))),
        },
    )


@dg.op(description="Let a version, or without @ the whole tool, be started again.")
def enable(context: dg.OpExecutionContext, config: ToolForm, catalog: CatalogResource) -> Result:
    """End a disabling or a deprecation."""
    ref = parse_tool_ref(config.tool)
    return _changed(
        context, catalog, lambda c: c.catalog.editor.enable(ref, c.origin, config.reason)
    )


@dg.op(description="Let nobody start a version, or without @ the whole tool.")
def disable(context: dg.OpExecutionContext, config: ToolForm, catalog: CatalogResource) -> Result:
    """Switch off."""
    ref = parse_tool_ref(config.tool)
    return _changed(
        context, catalog, lambda c: c.catalog.editor.disable(ref, c.origin, config.reason)
    )


@dg.op(description="Let the channel `stable` or `testing` point at a version.")
def promote(
    context: dg.OpExecutionContext, config: PromoteForm, catalog: CatalogResource
) -> Result:
    """Move a channel."""
    return _changed(
        context,
        catalog,
        lambda c: c.catalog.editor.promote(config.version, config.channel, c.origin, config.reason),
    )


@dg.op(description="Let `latest` mean any version again, also a deleted one.")
def roll_back(
    context: dg.OpExecutionContext, config: RollBackForm, catalog: CatalogResource
) -> Result:
    """Move `latest`."""
    ref = parse_tool_ref(config.tool)
    return _changed(
        context, catalog, lambda c: c.catalog.editor.roll_back(ref, c.origin, config.reason)
    )


def _changed(
    context: dg.OpExecutionContext,
    catalog: CatalogResource,
    act: Callable[[RunChange], Chosen],
) -> Result:
    """Make a change and show what it changed, which may be nothing."""
    with changing(context, catalog) as change:
        chosen = act(change)
        made = change.made()
    labels = [f"{chosen.name.label}@{version.version}" for version in chosen.versions]
    shown = {
        "versions": ", ".join(labels),
        "changed": bool(made.rows),
        "changes": dg.MetadataValue.md(_changes(made)),
    }
    return dg.Output({"versions": labels, "changed": bool(made.rows)}, metadata=shown)


def _changes(made: ChangeSummary) -> str:
    if not made.rows:
        return "Nothing changed: it was so already."
    return markdown_table(made.rows, sum(made.by_action.values()))


def _report(report: ImportReport) -> dict[str, Any]:
    """The five parts of an import's report (docs/guides/import.md)."""
    refused = [
        {"file": file, "problem": str(problem)}
        for file, problems in report.refused.items()
        for problem in problems
    ]
    coerced = [
        {"file": file, **{k: getattr(value, k) for k in ("field", "given", "became", "why")}}
        for file, values in report.coerced.items()
        for value in values
    ]
    parts = {
        "imported": [line.to_json() for line in report.imported],
        "unchanged": [line.to_json() for line in report.unchanged],
        "conflicts": [line.to_json() for line in report.conflicts],
        "refused": refused,
        "coerced": coerced,
    }
    sizes = [{"part": name, "entries": len(rows)} for name, rows in parts.items()]
    texts = {
        name: dg.MetadataValue.md(markdown_table(rows[:SHOWN], len(rows)))
        for name, rows in parts.items()
    }
    return {
        "summary": ", ".join(f"{len(rows)} {name}" for name, rows in parts.items()),
        "dry_run": report.is_dry_run,
        "report": dg.MetadataValue.md(markdown_table(sizes)),
        **texts,
    }


def _refusal(report: ImportReport) -> str:
    done = "would be imported" if report.is_dry_run else "was imported"
    problems = "\n".join(map(str, report.problems[:SHOWN]))
    return f"{len(report.refused)} files were refused, everything else {done}:\n{problems}"


def _wanted(snapshot: CatalogSnapshot, form: ExportForm) -> list[CatalogTool]:
    chosen = snapshot.seen if form.every_version else snapshot.latest
    if form.tools:
        chosen = tuple(snapshot.resolve(parse_tool_ref(text)) for text in form.tools)
    wanted = ToolFilter(
        platform=_or_none(form.platform),
        category=_or_none(form.category),
        status=_or_none(form.status),
        tag=form.tag or None,
        owner=form.owner or None,
    )
    found = list(matching(chosen, wanted))
    if not found:
        raise InvalidInputError.one(
            "no tool fits, so nothing was written", "leave out some of the filters"
        )
    return found


def _or_none(choice: str) -> str | None:
    return None if choice == ANY else choice


def definitions() -> dg.Definitions:
    """The jobs."""
    return dg.Definitions(
        jobs=[
            launchpad_job("import_catalogue", import_files, ImportForm),
            launchpad_job("export_catalogue", export_to_folder, ExportForm),
            launchpad_job("enable_tool", enable, ToolForm),
            launchpad_job("disable_tool", disable, ToolForm),
            launchpad_job("promote_tool", promote, PromoteForm),
            launchpad_job("roll_back_tool", roll_back, RollBackForm),
        ]
    )
