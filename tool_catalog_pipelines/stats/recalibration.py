"""Fitting an estimate again: the expression keeps its shape, its coefficients follow the facts.

Terms of the expression become columns; coefficients come from non-negative least squares on
relative errors (Lawson and Hanson 1974), refined with a Cauchy loss on log residuals, which
outliers cannot pull. A new estimate is offered only if it predicts what it was not fitted on
better than the present one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import (
    Expression,
    LinearTerm,
    parse_estimate,
    render_linear,
)

Array = NDArray[np.float64]
Columns = Mapping[str, Array]
Kind = Literal["refit", "scaled", "kept", "not_enough_data", "unknown_estimate"]

MINIMUM_POINTS = 20
MINIMUM_DISTINCT = 5
MINIMUM_SPAN = 4.0
IMPROVEMENT = 0.9
"""A new estimate must have at most this share of the present one's held-out error."""
LARGEST_STEP = 10.0


@dataclass(frozen=True, slots=True)
class Recalibration:
    """What was found. Errors are median relative errors on points held out of the fit."""

    kind: Kind
    reason: str
    n: int
    text: str | None = None
    error_before: float | None = None
    error_after: float | None = None
    variable_ranges: Mapping[str, tuple[float, float]] | None = None


def recalibrate(
    text: str | None, variables: Sequence[Mapping[str, float]], durations_ms: Sequence[float]
) -> Recalibration:
    """Offer a new text for an estimate, given the measured variables and times of executions."""
    n = len(durations_ms)
    if text is None:
        return Recalibration("unknown_estimate", "there is no estimate to recalibrate", n)
    if n < MINIMUM_POINTS:
        reason = f"not enough data: {n} of {MINIMUM_POINTS} executions"
        return Recalibration("not_enough_data", reason, n)
    actual = np.asarray(durations_ms, dtype=np.float64)
    columns = _columns(variables)
    present = _predict(text, columns, n)
    if present is None or not np.all(actual > 0):
        reason = "the estimate has no value for some of the measured variables"
        return Recalibration("not_enough_data", reason, n)
    return _best(text, columns, actual, present, _ranges(variables))


def _best(
    text: str,
    columns: Columns,
    actual: Array,
    present: Array,
    ranges: Mapping[str, tuple[float, float]],
) -> Recalibration:
    fit_on, held_out = _split(present)
    candidates: list[tuple[Kind, str]] = []
    terms = parse_estimate(text).linear_terms()
    if terms is not None and _spans(terms, columns, actual.size):
        seen = {name: column[fit_on] for name, column in columns.items()}
        refit = _refit(terms, seen, actual[fit_on])
        if refit is not None:
            candidates.append(("refit", refit))
    candidates += _scaled(terms, actual[fit_on] / present[fit_on])
    before = _error(present[held_out], actual[held_out])
    scored: list[tuple[float, Kind, str]] = []
    for kind, candidate in candidates:
        predicted = _predict(candidate, columns, actual.size)
        if predicted is not None and _is_bounded(predicted, present):
            scored.append((_error(predicted[held_out], actual[held_out]), kind, candidate))
    if not scored:
        reason = "no better expression was found"
        return Recalibration("kept", reason, actual.size, None, before, None, ranges)
    after, kind, candidate = min(scored)
    if after > IMPROVEMENT * before or abs(before - after) < 0.02:
        reason = f"the present estimate is good enough (error {before:.0%}, best other {after:.0%})"
        return Recalibration("kept", reason, actual.size, None, before, after, ranges)
    reason = f"error on held-out executions falls from {before:.0%} to {after:.0%}"
    return Recalibration(kind, reason, actual.size, candidate, before, after, ranges)


def _split(present: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Every third execution in order of size is held out, so that all sizes are judged."""
    order = np.argsort(present, kind="stable")
    held = order[1::3]
    return np.sort(np.setdiff1d(order, held)), np.sort(held)


def _refit(terms: Sequence[LinearTerm], columns: Columns, actual: Array) -> str | None:
    """New coefficients for the same terms; None if a term has no value."""
    n = actual.size
    factors: list[Array] = []
    for term in terms:
        values = np.ones(n) if term.factor is None else _predict(term.factor, columns, n)
        if values is None:
            return None
        factors.append(values)
    design = np.column_stack(factors)
    start, _ = optimize.nnls(design / actual[:, None], np.ones(actual.size))
    scale = np.maximum(start, 1e-9)

    def residuals(logs: Array) -> Array:
        predicted = design @ (np.exp(logs) * scale)
        return np.log(np.maximum(predicted, 1e-9) / actual)

    logs = np.zeros(scale.size)
    refined = optimize.least_squares(residuals, logs, loss="cauchy", f_scale=0.1, max_nfev=200)
    coefficients = np.where(start > 0, np.exp(refined.x) * scale, 0.0)
    kept = [
        LinearTerm(float(c), term.factor)
        for c, term in zip(coefficients, terms, strict=True)
        if c > 0
    ]
    return render_linear(kept) if kept else None


def _scaled(terms: Sequence[LinearTerm] | None, ratios: Array) -> list[tuple[Kind, str]]:
    """The present expression times a robust factor."""
    if terms is None:
        return []
    factor = float(np.median(ratios))
    scaled = [LinearTerm(term.coefficient * factor, term.factor) for term in terms]
    return [("scaled", render_linear(scaled))]


def _spans(terms: Sequence[LinearTerm], columns: Columns, n: int) -> bool:
    """True if every factor takes enough values over a wide enough range to fit a slope."""
    for term in terms:
        if term.factor is None:
            continue
        values = _predict(term.factor, columns, n)
        if values is None or np.unique(values).size < MINIMUM_DISTINCT:
            return False
        smallest = float(np.min(values))
        if smallest <= 0 or float(np.max(values)) / smallest < MINIMUM_SPAN:
            return False
    return True


def _columns(variables: Sequence[Mapping[str, float]]) -> Columns:
    """A column for each variable that is a number in every execution; the others are left out."""
    found: dict[str, Array] = {}
    for name in variables[0] if variables else ():
        values = [row.get(name) for row in variables]
        kinds = set(map(type, values))
        if all(issubclass(kind, int | float) and kind is not bool for kind in kinds):
            with suppress(OverflowError):  # a whole number beyond all floats is no measurement
                found[name] = np.array(values, dtype=np.float64)
    return found


def _predict(estimate: Expression | str, columns: Columns, n: int) -> Array | None:
    """What an estimate says; None where it has no value, or its text is beyond the limits."""
    try:
        expression = parse_estimate(estimate) if isinstance(estimate, str) else estimate
        return expression.evaluate_rows(columns, n)
    except ExpressionError:
        return None


def _error(predicted: Array, actual: Array) -> float:
    return float(np.median(np.abs(predicted - actual) / actual))


def _is_bounded(predicted: Array, present: Array) -> bool:
    """No publication may move the typical estimate by more than a factor of ten."""
    step = float(np.median(predicted / np.maximum(present, 1e-9)))
    return math.isfinite(step) and 1 / LARGEST_STEP <= step <= LARGEST_STEP


def _ranges(variables: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    ranges: dict[str, tuple[float, float]] = {}
    for values in variables:
        for name, value in values.items():
            low, high = ranges.get(name, (value, value))
            ranges[name] = (min(low, value), max(high, value))
    return ranges
