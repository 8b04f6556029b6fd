"""A choice and why it was made, as a document for programs.

Does not belong here: making the choice (choice.py), what would change it (what_if.py), the text for
people (sentences.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tool_catalog_pipelines.selection.candidates import Candidate
from tool_catalog_pipelines.selection.capability import Meaning
from tool_catalog_pipelines.selection.choice import Choice, Judged
from tool_catalog_pipelines.selection.estimates import Figure
from tool_catalog_pipelines.selection.scoring import contributions
from tool_catalog_pipelines.selection.units import cost_text, duration_text
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


def choice_as_json(choice: Choice) -> dict[str, Any]:
    """The choice with everything that led to it."""
    chosen = choice.given.candidate
    return {
        **identity(chosen),
        "score": choice.chosen.score,
        "estimates": estimates_as_json(chosen),
        "hints": {
            "execution_mode": choice.execution_mode,
            "sla_class": choice.sla_class,
            "executable": chosen.is_executable,
            "notes": [*choice.remarks, *(v.message for v in choice.given.verdict.violations)],
        },
        "experiment": choice.exposure.to_json() if choice.exposure else None,
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
        "because": reasons(choice),
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


def meaning_as_json(meaning: Meaning) -> dict[str, Any]:
    """What the words of a request were taken to mean, and what else they may mean."""
    return {
        "capability": meaning.meant.capability,
        "tool": meaning.meant.tool,
        "reason": meaning.reason,
        "topic": meaning.topic,
        "ambiguous": meaning.question is not None,
        "question": meaning.question,
        "other_capabilities": [one.capability for one in meaning.others],
        "others": [
            {"capability": one.capability, "tool": one.tool, "does": one.does}
            for one in meaning.others
        ],
    }


def reasons(choice: Choice) -> list[str]:
    """Why this one: what counted, the score, and what the figures rest on."""
    chosen = choice.chosen
    found = [_wish(choice)]
    added = contributions(chosen.candidate.features, choice.weights)
    counting = [name for name in added if choice.weights[name] > 0]
    most = sorted(counting, key=lambda name: -added[name])[:2]
    gained = " and ".join(_gained(name, added, choice) for name in most)
    share = "most of them" if len(counting) > 1 else "all of them"
    found.append(f"it has {100 * chosen.score:.0f} of 100 points, {share} for {gained}")
    for name, value in chosen.candidate.values.items():
        found.append(f"{name} is taken as {value.value:g} ({value.source})")
    success = chosen.candidate.success
    if success:
        found.append(
            f"it succeeds in {success.rate:.0%} of executions ({success.low:.0%} to "
            f"{success.high:.0%}, {success.origin}); time and cost count until it has succeeded"
        )
    if choice.decision:
        found.append(f"the tie was broken by a model: {choice.decision.justification}")
    return found


def _gained(name: str, added: Mapping[str, float], choice: Choice) -> str:
    return f"{NAMES[name]} ({100 * added[name]:.0f} of {100 * choice.weights[name]:.0f})"


def _wish(choice: Choice) -> str:
    if choice.need.weights is not None:
        parts = [f"{NAMES[name]} {share:.0%}" for name, share in choice.weights.items() if share]
        return f"you gave the weights: {', '.join(parts)}"
    mode, words = choice.preference.mode, choice.preference.words
    if mode == "balanced":
        why = "you asked for it" if choice.need.mode else "no word of yours says what matters most"
        *names, last = NAMES.values()
        return f"{', '.join(names)} and {last} count the same (mode balanced: {why})"
    favoured = max(choice.weights, key=lambda name: choice.weights[name])
    why = f"you said {', '.join(map(repr, words))}" if words else "you asked for it"
    share = choice.weights[favoured]
    return f"{NAMES[favoured]} counts most, {share:.0%} of the points (mode {mode}: {why})"


def _against(other: Judged, choice: Choice) -> str:
    """Where another candidate loses, and where it would have been better."""
    ours = contributions(choice.chosen.candidate.features, choice.weights)
    theirs = contributions(other.candidate.features, choice.weights)
    lost = {name: ours[name] - theirs[name] for name in ours}
    worse = sorted((n for n in lost if lost[n] > 1e-9), key=lambda name: -lost[name])[:2]
    better = sorted((n for n in lost if lost[n] < -1e-9), key=lambda name: lost[name])[:2]
    parts = [f"{100 * other.score:.0f} of 100 points"]
    parts += (
        [f"worse in {' and '.join(_compared(n, other, choice) for n in worse)}"] if worse else []
    )
    parts += (
        [f"better in {' and '.join(_compared(n, other, choice) for n in better)}"] if better else []
    )
    return "; ".join(parts) if len(parts) > 1 else f"{parts[0]}, the same; it only comes later"


def _compared(name: str, other: Judged, choice: Choice) -> str:
    sides = [_spelt(name, one.candidate.raw) for one in (other, choice.chosen)]
    return f"{NAMES[name]} ({sides[0]} instead of {sides[1]})"


def _spelt(name: str, raw: Mapping[str, float]) -> str:
    """A figure as people read it: marks from 0 to 100 for what authors judge."""
    key = "time_ms" if name == "time" else name
    if key not in raw:
        return "unknown"
    if name == "time":
        return duration_text(raw[key])
    if name == "cost":
        return cost_text(raw[key])
    return f"{100 * (1 - raw[key] if name == 'complexity' else raw[key]):.0f}"


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
