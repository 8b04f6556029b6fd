"""Plots and tables for the Dagster UI: figures as Markdown images, rows as metadata tables."""

from __future__ import annotations

import base64
import importlib
import io
from collections.abc import Mapping, Sequence
from typing import Any, cast

import dagster as dg

Points = Sequence[tuple[float, float]]
ROWS_SHOWN = 50


def scatter(
    series: Mapping[str, Points], x_label: str, y_label: str, title: str
) -> dg.MarkdownMetadataValue:
    """Points of several series on logarithmic axes."""
    figure, axes = _figure(x_label, y_label, title)
    for name, points in series.items():
        axes.scatter([x for x, _ in points], [y for _, y in points], s=10, alpha=0.6, label=name)
    if series:
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.legend()
    return _image(figure)


def bars(values: Mapping[str, float], x_label: str, title: str) -> dg.MarkdownMetadataValue:
    """Horizontal bars, in the order given."""
    figure, axes = _figure(x_label, "", title)
    names = list(values)[::-1]
    axes.barh(names, [values[name] for name in names], color="#4f6bed")
    return _image(figure)


def histogram(
    values: Sequence[float], limits: tuple[float, float], x_label: str, title: str
) -> dg.MarkdownMetadataValue:
    """How many values lie in each tenth of the range."""
    figure, axes = _figure(x_label, "", title)
    axes.hist(values, bins=10, range=limits, color="#4f6bed", edgecolor="white")
    axes.yaxis.get_major_locator().set_params(integer=True)
    return _image(figure)


def intervals(
    bounds: Sequence[tuple[float, float]], actual: Sequence[float], y_label: str, title: str
) -> dg.MarkdownMetadataValue:
    """One bar from low to high for each forecast in order, and a point for what came."""
    figure, axes = _figure("runs, oldest first", y_label, title)
    axes.vlines(
        range(len(bounds)),
        [low for low, _ in bounds],
        [high for _, high in bounds],
        color="#b9c4f7",
        linewidth=5,
        label="forecast: 8 of 10 runs",
    )
    hits = [low <= value <= high for (low, high), value in zip(bounds, actual, strict=True)]
    for is_hit, colour, label in ((True, "#4f6bed", "inside"), (False, "#d1495b", "outside")):
        places = [place for place, hit in enumerate(hits) if hit is is_hit]
        values = [actual[place] for place in places]
        axes.scatter(places, values, s=14, color=colour, label=label, zorder=3)
    if bounds:
        axes.set_yscale("log")
        axes.legend()
    return _image(figure)


def table(
    rows: Sequence[Mapping[str, object]],
) -> dg.TableMetadataValue | dg.MarkdownMetadataValue:
    """Rows as a metadata table; in words if there are none."""
    if not rows:
        return dg.MetadataValue.md("No rows yet.")
    records = [
        dg.TableRecord(
            {k: v if isinstance(v, str | int | float | bool) else str(v) for k, v in row.items()}
        )
        for row in rows[:ROWS_SHOWN]
    ]
    return dg.MetadataValue.table(records)


def _figure(x_label: str, y_label: str, title: str) -> tuple[Any, Any]:
    # The object interface: no global state, no display. matplotlib's types are incomplete.
    figures = cast("Any", importlib.import_module("matplotlib.figure"))
    figure = figures.Figure(figsize=(7, 4), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=x_label, ylabel=y_label, title=title)
    axes.grid(visible=True, alpha=0.3)
    return figure, axes


def _image(figure: Any) -> dg.MarkdownMetadataValue:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
    return dg.MetadataValue.md(f"![plot](data:image/png;base64,{encoded})")
