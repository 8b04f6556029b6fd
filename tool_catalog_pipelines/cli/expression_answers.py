"""What `tool-catalog eval` and `condition` answer: documents in, documents out.

Does not belong here: what the languages mean (expressions/), options and text (expression.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from tool_catalog_pipelines.cli.batch import Document
from tool_catalog_pipelines.cli.fields import Fields, shown
from tool_catalog_pipelines.cli.options import reference
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.expressions.condition import parse_condition
from tool_catalog_pipelines.expressions.estimate import Expression, parse_estimate
from tool_catalog_pipelines.expressions.scalar import finite_number
from tool_catalog_pipelines.expressions.variables import STANDALONE, Declared, bind
from tool_catalog_pipelines.selection.context import is_number

if TYPE_CHECKING:
    from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
    from tool_catalog_pipelines.settings import Settings

EVAL_KEYS = ("expr", "vars", "ranges", "tool", "pattern", "explain")
CONDITION_KEYS = ("condition", "context", "explain")
_Span = tuple[float, float]


def evaluated(document: Document) -> dict[str, Any]:
    """`expr`, `vars`, `ranges`, `tool`, `pattern`, `explain` -> value, defaults, explanation.

    Raises:
        InvalidInputError: with every problem of the document.
        ExpressionError: what is wrong with the expression or a value.
    """
    fields = Fields(document, EVAL_KEYS)
    given = _given(fields, document.get("expr"))
    variables, ranges = fields.mapping("vars") or {}, _ranges(fields)
    tool, pattern = fields.text("tool"), fields.text("pattern")
    with_explanation = fields.flag("explain")
    if pattern is not None and tool is None:
        fields.add("there is a pattern but no tool", "name the tool")
    fields.check()
    expression = _expression(given)
    declared = _declared(tool, pattern)
    bound = bind(expression.root, variables, declared)
    found: dict[str, Any] = {"value": expression.evaluate(bound.values)}
    if bound.defaulted:
        found["defaults"] = dict(bound.defaulted)
    if bound.outside:
        found["outside_range"] = list(bound.outside)
    if with_explanation:
        from tool_catalog_pipelines.expressions.explanation import explain

        found |= explain(expression, bound.values, bound.defaulted, ranges, declared)
    return found


def judged(document: Document) -> dict[str, Any]:
    """`condition`, `context`, `explain` -> value, because, tree.

    Raises:
        InvalidInputError: with every problem of the document.
        ExpressionError: the condition cannot be read.
    """
    fields = Fields(document, CONDITION_KEYS)
    text, context = fields.text("condition"), fields.mapping("context") or {}
    with_explanation = fields.flag("explain")
    if document.get("condition") is None:
        fields.add("there is no condition", 'write {"condition": "x > 1", "context": {"x": 2}}')
    fields.check()
    verdict = parse_condition(text or "").evaluate(context)
    found: dict[str, Any] = {"value": verdict.value, "because": verdict.because}
    return {**found, "tree": verdict.explanation()} if with_explanation else found


def _given(fields: Fields, given: object) -> str | float:
    """A text or a number, which stands for itself."""
    if isinstance(given, str | int | float) and not isinstance(given, bool):
        return given
    what = "there is no expr" if given is None else f"expr is {shown(given)}"
    fields.add(what, 'write {"expr": "N + 1", "vars": {"N": 2}}')
    return ""


def _expression(given: str | float) -> Expression:
    return parse_estimate(given if isinstance(given, str) else repr(finite_number(given, "expr")))


def _ranges(fields: Fields) -> dict[str, _Span]:
    found: dict[str, _Span] = {}
    for name, ends in (fields.mapping("ranges") or {}).items():
        match ends:
            case [low, high] if is_number(low) and is_number(high) and low <= high:
                found[name] = (float(low), float(high))
            case _:
                problem = f"the range of {shown(name)} is {shown(ends)}"
                fields.add(problem, "write [low, high], both finite numbers, low first")
    return found


def _declared(tool: str | None, pattern: str | None) -> Mapping[str, Declared]:
    """The variables of a tool's pattern; without a tool the five of every expression."""
    if tool is None:
        return STANDALONE
    from tool_catalog_pipelines.settings import load_settings

    found = _catalogue(load_settings()).resolve(reference(tool))
    patterns = {
        f"{capability}/{name}": spec
        for capability, one in found.spec.capabilities.items()
        for name, spec in one.patterns.items()
    }
    if pattern is None and len(patterns) == 1:
        pattern = next(iter(patterns))
    if pattern not in patterns:
        hint = f"pattern is one of: {', '.join(sorted(patterns))}"
        what = "several patterns" if pattern is None else f"no pattern {pattern!r}"
        raise InvalidInputError.one(f"{found.label} has {what}", hint)
    return cast("Mapping[str, Declared]", patterns[pattern].variables)


@lru_cache(maxsize=1)
def _catalogue(settings: Settings) -> CatalogSnapshot:
    """The catalogue, read once for all lines of a batch."""
    from tool_catalog_pipelines.catalog.sources import installed_snapshot

    return installed_snapshot(settings)
