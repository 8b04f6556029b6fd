"""Why a choice was made: for people in sentences, for programs as a document.

Does not belong here: making the choice (choice.py), what would change it (what_if.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tool_catalog_pipelines.selection.candidates import Candidate
from tool_catalog_pipelines.selection.choice import Choice, Judged
from tool_catalog_pipelines.selection.estimates import Figure
from tool_catalog_pipelines.selection.scoring import contributions
from tool_catalog_pipelines.selection.what_if import changes

MOST_SHOWN = 10
NAMES: Mapping[str, str] = {
    "time": "speed",
    "cost": "low cost",
    "complexity": "simplicity",
    "accuracy": "accuracy",
    "completeness": "completeness",
}
"""Weights as a person would call them."""
_HOW: Mapping[str, str] = {
    "immediate": "at once",
    "background": "in the background",
    "approval_required": "after somebody has approved it",
}
_NOTHING = "  no other mode, no faster or cheaper runner-up, no limit that is lifted"
_SLA: Mapping[str, str] = {
    "interactive": "the answer comes within a second",
    "batch": "the answer takes some seconds",
    "background": "the answer takes ten seconds or more",
    "unknown": "nobody knows how long the answer takes",
}


def choice_as_json(choice: Choice) -> dict[str, Any]:
    """The choice with everything that led to it."""
    chosen = choice.chosen.candidate
    return {
        **identity(chosen),
        "score": choice.chosen.score,
        "estimates": estimates_as_json(chosen),
        "hints": {
            "execution_mode": choice.execution_mode,
            "sla_class": choice.sla_class,
            "executable": chosen.is_executable,
            "notes": [violation.message for violation in choice.chosen.verdict.violations],
        },
        "alternatives": [one.candidate.short_name for one in choice.alternatives],
        "mode": choice.preference.mode if choice.need.weights is None else None,
        "confidence": choice.preference.confidence,
        "method": choice.method,
        "gap": choice.closeness.gap,
        "ambiguous": choice.closeness.is_ambiguous,
        "question": choice.closeness.question,
        "candidates": len(choice.ranking) + len(choice.refused),
        "refused": len(choice.refused),
        "explanation": explanation_as_json(choice),
    }


def explanation_as_json(choice: Choice) -> dict[str, Any]:
    """Why this one, why not the others, what would change the answer."""
    return {
        "because": list(_reasons(choice)),
        "words": list(choice.preference.words),
        "weights": dict(choice.weights),
        "justification": choice.decision.justification if choice.decision else None,
        "ranking": [_ranked(one, choice) for one in choice.ranking[:MOST_SHOWN]],
        "refused": [
            {
                **identity(one.candidate),
                "violations": [
                    {"rule": v.rule, "severity": v.severity, "message": v.message}
                    for v in one.verdict.violations
                ],
            }
            for one in choice.refused[:MOST_SHOWN]
        ],
        "changes": [
            {"kind": change.kind, "what": change.what, "winner": change.winner}
            for change in changes(choice)
        ],
    }


def identity(candidate: Candidate) -> dict[str, str]:
    """Which tool, version, capability and pattern."""
    header = candidate.tool.header
    return {
        "tool": f"{header.platform}/{header.tool_name}",
        "version": header.version,
        "capability": candidate.capability,
        "pattern": candidate.pattern_name,
    }


def estimates_as_json(candidate: Candidate) -> dict[str, Any]:
    """Time, cost, success rate and the variables behind them, each with its basis."""
    success = candidate.success
    return {
        "time_ms": _figure(candidate.time_ms),
        "cost_units": _figure(candidate.cost_units),
        "success_rate": None
        if success is None
        else {
            "value": success.rate,
            "low": success.low,
            "high": success.high,
            "basis": success.origin,
        },
        "variables": {
            name: {"value": value.value, "source": value.source}
            for name, value in candidate.values.items()
        },
    }


def choice_as_text(choice: Choice, is_long: bool = True) -> str:
    """The choice in sentences, for somebody who never saw the system."""
    chosen = choice.chosen.candidate
    found = identity(chosen)
    lines = [
        f"{found['tool']} {found['version']}, pattern {found['pattern']} of {found['capability']}",
        f"  {chosen.pattern.description}",
        f"  time: {figure_text(chosen.time_ms, 'ms')}",
        f"  cost: {figure_text(chosen.cost_units, 'units')}",
        f"  start it {_HOW[choice.execution_mode]}; {_SLA[choice.sla_class]}",
    ]
    if not chosen.is_executable:
        lines.append("  it cannot be executed here: it has no binding for this machine")
    lines += [f"  note: {violation.message}" for violation in choice.chosen.verdict.violations]
    if choice.closeness.question:
        lines.append(f"  it was close. {choice.closeness.question}")
    return "\n".join([*lines, *(_long(choice) if is_long else ())])


def figure_text(figure: Figure, unit: str) -> str:
    """A number with its unit and basis."""
    if figure.value is None:
        return figure.origin
    return f"{figure.value:.4g} {unit} ({figure.origin})"


def _long(choice: Choice) -> list[str]:
    lines = ["", "Why this one", *(f"  {reason}" for reason in _reasons(choice))]
    others = choice.ranking[1:MOST_SHOWN]
    if others:
        lines += ["", "Why not the others"]
        lines += [f"  {one.candidate.label}: {_against(one, choice)}" for one in others]
        lines += _more(len(choice.ranking) - MOST_SHOWN)
    if choice.refused:
        lines += ["", "Not allowed"]
        shown = choice.refused[:MOST_SHOWN]
        lines += [f"  {one.candidate.label}: {one.verdict.reason}" for one in shown]
        lines += _more(len(choice.refused) - MOST_SHOWN)
    found = changes(choice)
    lines += ["", "What would change the answer"]
    lines += [f"  {change.what}: {change.winner}" for change in found] or [_NOTHING]
    return lines


def _more(count: int) -> list[str]:
    return [f"  and {count} more"] if count > 0 else []


def _reasons(choice: Choice) -> list[str]:
    chosen = choice.chosen
    reasons = [_wish(choice)]
    added = contributions(chosen.candidate.features, choice.weights)
    first, second = sorted(added, key=lambda name: -added[name])[:2]
    reasons.append(
        f"it scores {chosen.score:.3f} of 1, most of it for {NAMES[first]} ({added[first]:.3f}) "
        f"and {NAMES[second]} ({added[second]:.3f})"
    )
    for name, value in chosen.candidate.values.items():
        reasons.append(f"{name} is taken as {value.value:g} ({value.source})")
    success = chosen.candidate.success
    if success:
        reasons.append(
            f"it succeeds in {success.rate:.0%} of executions ({success.low:.0%} to "
            f"{success.high:.0%}, {success.origin}); time and cost count until it has succeeded"
        )
    if choice.decision:
        reasons.append(f"the tie was broken by a model: {choice.decision.justification}")
    return reasons


def _wish(choice: Choice) -> str:
    if choice.need.weights is not None:
        parts = [f"{NAMES[name]} {share:.0%}" for name, share in choice.weights.items() if share]
        return f"you gave the weights: {', '.join(parts)}"
    mode, words = choice.preference.mode, choice.preference.words
    if mode == "balanced":
        return "speed, low cost, simplicity, accuracy and completeness count the same (balanced)"
    favoured = max(choice.weights, key=lambda name: choice.weights[name])
    why = f"you said {', '.join(map(repr, words))}" if words else "you asked for it"
    share = choice.weights[favoured]
    return f"{NAMES[favoured]} counts most, {share:.0%} of the score (mode {mode}: {why})"


def _against(other: Judged, choice: Choice) -> str:
    """Where another candidate loses, and where it would have been better."""
    ours = contributions(choice.chosen.candidate.features, choice.weights)
    theirs = contributions(other.candidate.features, choice.weights)
    lost = {name: ours[name] - theirs[name] for name in ours}
    worse = sorted((n for n in lost if lost[n] > 1e-9), key=lambda name: -lost[name])[:2]
    better = sorted((n for n in lost if lost[n] < -1e-9), key=lambda name: lost[name])[:2]
    parts = [f"scores {other.score:.3f}"]
    parts += (
        [f"worse in {' and '.join(_compared(n, other, choice) for n in worse)}"] if worse else []
    )
    parts += (
        [f"better in {' and '.join(_compared(n, other, choice) for n in better)}"] if better else []
    )
    return "; ".join(parts) if len(parts) > 1 else f"{parts[0]}, the same; it only comes later"


def _compared(name: str, other: Judged, choice: Choice) -> str:
    key = "time_ms" if name == "time" else name
    unit = {"time": " ms"}.get(name, "")
    sides = [
        f"{raw[key]:.4g}{unit}" if key in raw else "unknown"
        for raw in (other.candidate.raw, choice.chosen.candidate.raw)
    ]
    return f"{NAMES[name]} ({sides[0]} instead of {sides[1]})"


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "value": figure.value,
        "basis": figure.basis if figure.value is not None else "unknown",
        "runs": figure.runs,
        "origin": figure.origin,
        "expression": figure.expression or None,
    }


def _ranked(one: Judged, choice: Choice) -> dict[str, Any]:
    candidate = one.candidate
    is_first = candidate is choice.chosen.candidate
    return {
        **identity(candidate),
        "score": one.score,
        "features": dict(candidate.features),
        "contributions": contributions(candidate.features, choice.weights),
        "time_ms": _figure(candidate.time_ms),
        "cost_units": _figure(candidate.cost_units),
        "against": None if is_first else _against(one, choice),
    }
