"""What a finished tool looks like: its file, its quality, advice."""

from __future__ import annotations

from dataclasses import dataclass

from tool_catalog_pipelines.catalog.export import exported_text
from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.spec.advice import advice_on
from tool_catalog_pipelines.spec.quality import Quality, quality_of
from tool_catalog_pipelines.spec.reader import read_document
from tool_catalog_pipelines.spec.tool import ToolSpec


@dataclass(frozen=True, slots=True)
class Review:
    """A tool as it would be saved; places of advice are in the text."""

    text: str
    quality: Quality
    advice: tuple[Problem, ...]


def review_of(spec: ToolSpec) -> Review:
    """Look at a finished tool."""
    file = f"{spec.tool_name}.yaml"
    text = exported_text(spec, file)
    advice = advice_on(spec, read_document(text, file))
    return Review(text, quality_of(spec), tuple(advice))
