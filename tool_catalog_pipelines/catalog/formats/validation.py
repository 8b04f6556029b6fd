"""A draft -> a checked tool, with problems that point into the file the draft came from."""

from __future__ import annotations

from tool_catalog_pipelines.catalog.formats.draft import Draft
from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.spec.load import tool_from_value
from tool_catalog_pipelines.spec.tool import ToolSpec


def spec_of_draft(draft: Draft) -> ToolSpec:
    """The tool that a draft describes.

    Raises:
        InvalidInputError: everything that is wrong with it, placed where the tool begins.
    """
    try:
        return tool_from_value(dict(draft.document), draft.position.file)
    except InvalidInputError as error:
        name = draft.document.get("tool_name", "a tool")
        raise InvalidInputError(
            [
                Problem(f"{name}: {found.message}", draft.position, found.hint, found.code)
                for found in error.problems
            ]
        ) from None
