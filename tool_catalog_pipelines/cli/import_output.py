"""The report of an import for people: counts, what needs a look, problems."""

from __future__ import annotations

from tool_catalog_pipelines.catalog.import_report import ImportReport
from tool_catalog_pipelines.cli.harmless import one_line
from tool_catalog_pipelines.cli.output import Screen

_SHOWN = 20


def say_report(screen: Screen, report: ImportReport, with_coerced: bool = False) -> None:
    """Counts, conflicts, on request what was not taken as written, then every problem."""
    counts = (
        f"{len(report.imported)} imported, {len(report.unchanged)} unchanged, "
        f"{len(report.conflicts)} conflicts, {len(report.refused)} files refused"
    )
    coerced = sum(len(values) for values in report.coerced.values())
    if coerced:
        counts += f", {coerced} values coerced"
    screen.say(f"  catalogue: {counts}" + (" (dry run: nothing was changed)" * report.is_dry_run))
    for line in report.conflicts:
        screen.say(f"  {one_line(line.file)}: {line.note}")
    if with_coerced:
        _say_coerced(screen, report)
    screen.problems(report.problems)


def _say_coerced(screen: Screen, report: ImportReport) -> None:
    for file, values in report.coerced.items():
        screen.say(f"  {one_line(file)}: {len(values)} values were not taken as written")
        for value in values[:_SHOWN]:
            screen.say(f"    {value.field}: {value.given} -> {value.became} ({value.why})")
        if len(values) > _SHOWN:
            screen.say(f"    and {len(values) - _SHOWN} more; --json shows all")
