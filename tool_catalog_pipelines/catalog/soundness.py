"""What would be wrong with a catalogue as a whole. Pure; each function names the offenders.

Does not belong here: the rules of one tool (spec/checks.py), counting (summary.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot, ToolKey
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.spec.load import tool_from_value


def broken_tools(tools: Iterable[CatalogTool]) -> Mapping[str, str]:
    """Tools whose stored content does not pass the checks of a tool file any more, and why.

    An older release may have let in what this one refuses.
    """
    found: dict[str, str] = {}
    for tool in tools:
        try:
            tool_from_value(tool.document(), tool.label)
        except InvalidInputError as error:
            found[tool.label] = str(error)
    return found


def shared_descriptions(tools: Iterable[CatalogTool]) -> Mapping[str, tuple[str, ...]]:
    """Descriptions that several tools have, so that nobody can choose between them by reading.

    Case, spaces and a full stop at the end make no difference.
    """
    groups: dict[str, list[str]] = {}
    for tool in tools:
        words = tool.document()["description"].casefold().rstrip(". ").split()
        groups.setdefault(" ".join(words), []).append(tool.label)
    return {text: tuple(sorted(labels)) for text, labels in groups.items() if len(labels) > 1}


def without_one_latest(snapshot: CatalogSnapshot) -> tuple[str, ...]:
    """Tools with several latest versions, or with none although one of their versions is active."""
    latest: Counter[ToolKey] = Counter()
    active: set[ToolKey] = set()
    for tool in snapshot.tools:
        header = tool.header
        key = (header.tenant, *header.key)
        latest[key] += "latest" in header.channels
        if header.status == "active" and header.enabled:
            active.add(key)
    wrong = {key for key, count in latest.items() if count > 1 or (count == 0 and key in active)}
    return tuple("/".join(key) for key in sorted(wrong))
