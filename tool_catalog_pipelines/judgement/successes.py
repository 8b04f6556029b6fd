"""How often patterns succeeded, from the published marts, for selection.

Does not belong here: what that means for a choice (selection/success.py).
"""

from __future__ import annotations

from tool_catalog_pipelines.errors import ToolCatalogError
from tool_catalog_pipelines.judgement.rows import query
from tool_catalog_pipelines.settings import Settings

_STATEMENT = """
    SELECT platform, tool_name, tool_version, capability, pattern,
        sum(succeeded + no_result) AS successes, sum(failed + timed_out) AS failures
    FROM daily_performance
    WHERE environment = ? AND tenant = ?
    GROUP BY ALL
"""


def success_history(settings: Settings, environment: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Successes and failures by (`platform/name@version`, `capability/pattern`).

    Empty where no marts are published yet: then nothing is known.
    """
    try:
        rows = query(settings, _STATEMENT, [environment, settings.tenant])
    except ToolCatalogError:
        return {}
    return {
        (
            f"{row['platform']}/{row['tool_name']}@{row['tool_version']}",
            f"{row['capability']}/{row['pattern']}",
        ): (int(row["successes"]), int(row["failures"]))
        for row in rows
    }
