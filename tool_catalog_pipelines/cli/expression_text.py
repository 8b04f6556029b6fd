"""How the explanation of an expression or a condition looks on a screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_STEP = "  "


def explained(document: Mapping[str, Any]) -> str:
    """The explanation of an estimate."""
    span = document["interval"]
    between = f"{span['low']:g} to {span['high']:g}" if "low" in span else f"none, {span['reason']}"
    lines = [
        f"class: {document['class']}",
        f"written out: {document['rendered']}",
        f"interval: {between}",
    ]
    for name, one in document["variables"].items():
        low, high = one["range"]
        lines.append(f"{name}: {one['growth']} from {low:g} to {high:g}")
    return "\n".join([*lines, shown_tree(document["tree"])])


def shown_tree(tree: Mapping[str, Any], depth: int = 0) -> str:
    """A tree with a line for each part; what did not decide is marked."""
    unknown = f"unknown: {tree['reason']}" if "reason" in tree else "unknown"
    value = _shown(tree["value"]) if tree.get("known", True) else unknown
    mark = "" if tree.get("decides", True) else "  (not decisive)"
    lines = [f"{_STEP * depth}{tree['part']}  ->  {value}{mark}"]
    return "\n".join([*lines, *(shown_tree(part, depth + 1) for part in tree["parts"])])


def _shown(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):  # a text is no number, though '12' looks like one; a list stays bare
        return value if value[:1] in ("[", "{") else repr(value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)
