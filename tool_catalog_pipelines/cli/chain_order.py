"""What `tool-catalog chain order` answers: steps in, their order out."""

from __future__ import annotations

from typing import Any, cast

from tool_catalog_pipelines.cli.batch import Document
from tool_catalog_pipelines.cli.fields import Fields
from tool_catalog_pipelines.planning.step_order import order_steps


def order_answer(document: Document) -> dict[str, Any]:
    """`steps`: list of [id, [depends_on ...]] -> `order`, `levels`, `errors`."""
    fields = Fields(document, ("steps",))
    given: Any = document.get("steps")
    if not isinstance(given, list):
        fields.add(f"steps is {given!r}", 'write {"steps": [["a", []], ["b", ["a"]]]}')
        given = []
    steps = [_step(fields, value) for value in cast("list[Any]", given)]
    fields.check()
    found = order_steps(steps)
    return {
        "order": list(found.order),
        "levels": [list(level) for level in found.levels],
        "errors": list(found.errors),
    }


def order_text(found: dict[str, Any]) -> str:
    """Levels one under the other, then what is wrong."""
    lines = [f"{number}. {', '.join(level)}" for number, level in enumerate(found["levels"], 1)]
    return "\n".join([*lines, *found["errors"]]) or "no steps"


def _step(fields: Fields, value: Any) -> tuple[str, tuple[str, ...]]:
    match value:
        case [str() as name, [*depends_on]] if all(isinstance(one, str) for one in depends_on):
            return name, tuple(depends_on)
        case _:
            fields.add(f"the step {value!r} is not clear", 'write ["id", ["depends_on", ...]]')
            return "", ()
