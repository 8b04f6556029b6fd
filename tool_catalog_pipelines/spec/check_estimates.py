"""Rules of a pattern's variables, estimates and policy condition."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tool_catalog_pipelines.expressions.condition import parse_condition
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import parse_estimate
from tool_catalog_pipelines.expressions.jsonpath import check_path
from tool_catalog_pipelines.spec.notes import Notes, name_hint
from tool_catalog_pipelines.spec.reader import DocumentPath
from tool_catalog_pipelines.spec.tool import CountOf, PatternSpec, VariableSpec

_ROOT = re.compile(r"\$\.(?P<root>inputs|output)(?:\.(?P<field>[A-Za-z_]\w*)|(?=\[)|$)")


def check_estimates(pattern: PatternSpec, path: DocumentPath, notes: Notes) -> None:
    """Variables, the two estimates that use them, and the condition for the background."""
    for name, variable in pattern.variables.items():
        where = (*path, "variables", name)
        _check_name(name, where, notes)
        _check_variable(variable, where, notes)
        _check_paths(variable, pattern, where, notes)
    for key in ("time_estimate_ms", "cost_estimate"):
        _check_estimate(getattr(pattern, key), pattern, (*path, key), notes)
    condition = pattern.policy.requires_background_if
    if condition is not None:
        where = (*path, "policy", "requires_background_if")
        try:
            parse_condition(condition)
        except ExpressionError as error:
            notes.add_expression(where, "'requires_background_if' cannot be read", error)


def _check_name(name: str, where: DocumentPath, notes: Notes) -> None:
    """An expression must be able to use the name."""
    try:
        is_usable = parse_estimate(name).free_variables == frozenset({name})
    except ExpressionError:
        is_usable = False
    if not is_usable:
        notes.add(
            where,
            f"'{name}' cannot be the name of a variable",
            "use letters, digits and _; names of functions and constants are taken",
            "variable",
            at_key=True,
        )


def _check_variable(variable: VariableSpec, where: DocumentPath, notes: Notes) -> None:
    low, high = variable.range
    if low > high:
        notes.add(
            (*where, "range"),
            f"the range begins at {low:g}, above its end {high:g}",
            "write [smallest, largest]",
            "range",
        )
    elif not low <= variable.default <= high:
        notes.add(
            (*where, "default"),
            f"the default {variable.default:g} is outside the range {low:g} to {high:g}",
            "correct the default or the range",
            "range",
        )


def _check_paths(
    variable: VariableSpec, pattern: PatternSpec, where: DocumentPath, notes: Notes
) -> None:
    if variable.before is not None:
        _check_path(variable.before, ("inputs",), pattern, (*where, "before"), notes)
    roots = ("inputs", "output")
    if isinstance(variable.measured, CountOf):
        _check_path(variable.measured.count, roots, pattern, (*where, "measured", "count"), notes)
    elif variable.measured is not None:
        _check_path(variable.measured, roots, pattern, (*where, "measured"), notes)


def _check_path(
    text: str, roots: tuple[str, ...], pattern: PatternSpec, where: DocumentPath, notes: Notes
) -> None:
    try:
        check_path(text)
    except ExpressionError as error:
        notes.add(where, error.message, error.hint, "path")
        return
    match = _ROOT.match(text)
    if match is None or match["root"] not in roots:
        allowed = " or ".join(f"$.{root}" for root in roots)
        notes.add(where, f"the path '{text}' does not begin with {allowed}", _HINTS[roots], "path")
        return
    known = pattern.inputs if match["root"] == "inputs" else _output_names(pattern)
    if match["field"] and known and match["field"] not in known:
        what = "an input" if match["root"] == "inputs" else "an output"
        message = f"the path '{text}' names '{match['field']}', which is not {what} of the pattern"
        notes.add(where, message, name_hint(match["field"], known), "path")


_HINTS: Mapping[tuple[str, ...], str] = {
    ("inputs",): "before a run only the inputs are known; begin with $.inputs.",
    ("inputs", "output"): "begin with $.output. and the name of an output, or with $.inputs.",
}


def _output_names(pattern: PatternSpec) -> Iterable[str]:
    return [output.name for output in pattern.expected_outputs]


def _check_estimate(
    text: str | None, pattern: PatternSpec, where: DocumentPath, notes: Notes
) -> None:
    if text is None:
        return
    key = where[-1]
    try:
        expression = parse_estimate(text)
    except ExpressionError as error:
        notes.add_expression(where, f"'{key}' cannot be read", error)
        return
    unknown = sorted(expression.free_variables - pattern.variables.keys())
    for name in unknown:
        hint = name_hint(name, pattern.variables, "declared") or "declare it under 'variables'"
        notes.add(where, f"'{key}' uses the variable '{name}', which is not declared", hint, "name")
    if not unknown:
        _check_value(text, pattern, where, notes)


def _check_value(text: str, pattern: PatternSpec, where: DocumentPath, notes: Notes) -> None:
    """With the defaults of its variables an estimate must have a value, and none below zero."""
    defaults = {name: variable.default for name, variable in pattern.variables.items()}
    try:
        value = parse_estimate(text).evaluate(defaults)
    except ExpressionError as error:
        notes.add_expression(where, f"'{where[-1]}' has no value for the default variables", error)
        return
    if value < 0:
        notes.add(
            where,
            f"'{where[-1]}' is {value:g} for the default variables",
            "an estimate cannot be negative; correct it or the defaults",
            "expression",
        )
