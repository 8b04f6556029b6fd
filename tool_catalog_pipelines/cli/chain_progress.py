"""One line per step while a chain runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tool_catalog_pipelines.cli.output import Screen

if TYPE_CHECKING:
    # Dagster takes a third of a second to import, which commands that run nothing should not wait.
    from tool_catalog_pipelines.orchestration.launch import StepNews

MARKS: Mapping[str, str] = {
    "success": "ok", "no_result": "ok", "skipped": "skipped", "failed": "FAILED",
    "timeout": "TIMEOUT", "cancelled": "cancelled", "retry": "again",
}  # fmt: skip


def print_step(screen: Screen) -> Callable[[StepNews], None]:
    """A listener that prints a line when a step ends or is to be tried again."""

    def on_news(news: StepNews) -> None:
        mark = MARKS.get(news.status, news.status)
        style = "red" if mark in ("FAILED", "TIMEOUT") else ""
        screen.say(f"  {mark:9} {news.step:20} {news.note}", style)

    return on_news
