"""A second selector, written from the description of the first one and from no code of ours.

Formulas, tables and word lists are those of the documented selector; where the decision records 8
and 9 deviate, the deviation is written here once more. Slow and plain on purpose. Does not belong
here: what is compared, and with which inputs (acceptance/test_selector_oracle.py).
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

Figures = Mapping[str, float]
EXPRESSION_DEFAULTS = {"N": 0, "pages": 1, "p95_latency": 100, "cost": 1, "time_ms": 1000}
EXACT = 2.0**53


class NoAnswerError(Exception):
    """The selector refuses the input."""


class OpenError(Exception):
    """The description leaves it open: a whole number above 2 ** 53, crossed bounds of `clamp`."""


# --- expressions ---------------------------------------------------------------------------------

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda one, other: one + other,
    ast.Sub: lambda one, other: one - other,
    ast.Mult: lambda one, other: one * other,
    ast.Div: lambda one, other: one / other,
    ast.FloorDiv: lambda one, other: one // other,
    ast.Mod: lambda one, other: one % other,
}
_COMPARE: dict[type, Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def _clamp(value: float, low: float, high: float) -> float:
    if low > high:
        raise OpenError
    return min(max(value, low), high)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "log": math.log,
    "log10": math.log10,
    "log2": math.log2,
    "sqrt": math.sqrt,
    "min": min,
    "max": max,
    "abs": abs,
    "ceil": math.ceil,
    "floor": math.floor,
    "exp": math.exp,
    "round": round,
    "clamp": _clamp,
}


def evaluate(text: str, given: Figures) -> float:
    """The value of an estimate.

    Raises:
        NoAnswerError: it has none.
        OpenError: it is nowhere said which.
    """
    if len(text) > 500:
        raise NoAnswerError("too long")
    try:
        root = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NoAnswerError(str(error)) from None
    if _depth(root) > 20:
        raise NoAnswerError("too deep")
    for part in ast.walk(root):
        _check(part, {*EXPRESSION_DEFAULTS, "pi", "e", *given})
    known = {"pi": math.pi, "e": math.e} | EXPRESSION_DEFAULTS | dict(given)
    try:
        return float(_value(root, known))
    except (ArithmeticError, TypeError, ValueError) as error:
        raise NoAnswerError(str(error)) from None


def _depth(root: ast.expr) -> int:
    parts = [part for part in ast.iter_child_nodes(root) if isinstance(part, ast.expr)]
    if isinstance(root, ast.Call):
        parts = root.args
    return 1 + max(map(_depth, parts)) if parts else 0


def _check(part: ast.AST, names: set[str]) -> None:
    """What is wrong in a branch that is not taken is wrong."""
    match part:
        case ast.Constant(value=value) if not _is_number(value):
            raise NoAnswerError(str(value))
        case ast.Name(id=name) if name not in names and name not in _FUNCTIONS:
            raise NoAnswerError(name)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            _refuse_conditions(args)
            with suppress(ArithmeticError, ValueError):
                _called(name, [1.0 for _ in args])
        case ast.Call() | ast.Attribute() | ast.Subscript() | ast.Lambda() | ast.Starred():
            raise NoAnswerError(ast.dump(part))
        case ast.BinOp() | ast.Compare() | ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            _refuse_conditions(ast.iter_child_nodes(part))
        case ast.IfExp(body=body, orelse=orelse):
            _refuse_conditions([body, orelse])
        case ast.List() | ast.Tuple() | ast.Set() | ast.JoinedStr() | ast.NamedExpr():
            raise NoAnswerError(ast.dump(part))
        case _:
            pass


def _refuse_conditions(parts: Iterable[ast.AST]) -> None:
    for part in parts:
        is_negation = isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.Not)
        if is_negation or isinstance(part, ast.Compare | ast.BoolOp):
            raise NoAnswerError(ast.dump(part))


def _is_number(value: object) -> bool:
    is_kind = isinstance(value, int | float) and not isinstance(value, bool)
    return is_kind and value not in (math.inf, -math.inf)


def _called(name: str, arguments: Sequence[float]) -> Any:
    try:
        return _FUNCTIONS[name](*arguments)
    except TypeError as error:
        raise NoAnswerError(str(error)) from None


def _value(part: ast.expr, known: Figures) -> Any:
    found = _raw_value(part, known)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise NoAnswerError("no number")
    if isinstance(found, int) and abs(found) > EXACT:
        raise OpenError
    if not math.isfinite(found):
        raise NoAnswerError("not finite")
    return found


def _raw_value(part: ast.expr, known: Figures) -> Any:  # noqa: PLR0911 -- one for each kind
    match part:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name in known:
            return known[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, known)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand, known)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            base, exponent = _value(left, known), _value(right, known)
            if abs(exponent) > 100:
                raise NoAnswerError("exponent")
            return base**exponent
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_value(left, known), _value(right, known))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            return _called(name, [_value(one, known) for one in args])
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _value(body if _truth(test, known) else orelse, known)
        case _:
            raise NoAnswerError(ast.dump(part))


def _truth(part: ast.expr, known: Figures) -> bool:
    match part:
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_truth(one, known) for one in values)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(_truth(one, known) for one in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _truth(operand, known)
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = [_value(one, known) for one in (left, *others)]
            return all(
                _COMPARE[type(op)](a, b) for op, a, b in zip(ops, sides, sides[1:], strict=False)
            )
        case _:
            return _value(part, known) != 0


# --- features, weights, scores -------------------------------------------------------------------

WEIGHTED = ("time", "cost", "complexity", "accuracy", "completeness")
FEATURE = {"time": "time_ms"}
FAVOURED = {
    "fast": "time",
    "accurate": "accuracy",
    "thorough": "completeness",
    "cheap": "cost",
    "simple": "complexity",
}


def clip(value: float, low: float, high: float) -> float:
    """The value, or the bound that it passes."""
    return low if value < low else high if value > high else value


def features_of(raw: Figures) -> dict[str, float]:
    """Raw figures as shares of which more is better; only those that are there."""
    found: dict[str, float] = {}
    for name, value in raw.items():
        if name == "time_ms":
            spread = math.log(60_000) - math.log(50)
            found[name] = 1 - (math.log(clip(value, 50, 60_000)) - math.log(50)) / spread
        elif name == "cost":
            found[name] = 1 - clip(value, 0, 10) / 10
        elif name == "complexity":
            found[name] = 1 - clip(value, 0, 1)
        else:
            found[name] = clip(value, 0, 1)
    return found


def time_of(feature: float) -> float:
    """The time that has a feature."""
    return math.exp(math.log(50) + (1 - feature) * (math.log(60_000) - math.log(50)))


def cost_of(feature: float) -> float:
    """The cost that has a feature."""
    return (1 - feature) * 10


def weights_of(mode: str) -> dict[str, float]:
    """0.40 for what a mode favours and 0.15 for the others; balanced 0.20 for each."""
    if mode == "balanced":
        return dict.fromkeys(WEIGHTED, 0.2)
    return {name: 0.4 if name == FAVOURED[mode] else 0.15 for name in WEIGHTED}


def contributions_of(features: Figures, weights: Figures) -> dict[str, float]:
    """What each weight adds to the score; a missing feature is 0.5."""
    return {
        name: weights.get(name, 0.0) * features.get(FEATURE.get(name, name), 0.5)
        for name in WEIGHTED
    }


def score_of(features: Figures, weights: Figures) -> float:
    """The weighted sum."""
    return sum(contributions_of(features, weights).values())


def gap_of(scores: Sequence[float]) -> float:
    """Distance of the first two; 1 for fewer."""
    return abs(scores[0] - scores[1]) if len(scores) > 1 else 1.0


DIMENSIONS = {
    "time_ms": "speed",
    "cost": "cost",
    "accuracy": "accuracy",
    "completeness": "completeness",
    "complexity": "complexity",
}


def dimensions_of(one: Figures, other: Figures) -> set[str]:
    """What may be asked about when two candidates are too close; several if they differ alike."""
    differences = {
        name: abs(one.get(feature, 0.5) - other.get(feature, 0.5))
        for feature, name in DIMENSIONS.items()
    }
    most = max(differences.values())
    names = {name for name, value in differences.items() if most - value < 1e-12}
    if abs(most - 0.05) < 1e-12:
        return names | {"speed or accuracy"}
    return {"speed or accuracy"} if most < 0.05 else names


def dominates(one: Figures, other: Figures) -> bool:
    """Whether raw figures are nowhere worse and somewhere better; only for complete ones."""
    signs = {"time_ms": -1, "cost": -1, "complexity": -1, "accuracy": 1, "completeness": 1}
    a = [sign * one[name] for name, sign in signs.items()]
    b = [sign * other[name] for name, sign in signs.items()]
    return a != b and all(x >= y for x, y in zip(a, b, strict=True))


# --- words ---------------------------------------------------------------------------------------

WORDS = {
    "fast": "quick quickly fast rapid rapidly immediate immediately asap hurry urgent urgently"
    " speed speedy swift swiftly",
    "accurate": "accurate accurately precise precisely exact exactly verify verified double-check"
    " double_check confirm validated reliable reliably correct correctly",
    "thorough": "thorough thoroughly complete completely comprehensive comprehensively detailed"
    " in_detail all every exhaustive exhaustively full fully entire entirely",
    "cheap": "cheap cheaply free cost-effective economical economically inexpensive inexpensively"
    " low_cost low-cost budget affordable",
    "simple": "simple simply basic basically straightforward easy easily minimal minimally"
    " lightweight",
}


def words_of(mode: str) -> list[str]:
    """Every word that tells a mode."""
    return [word.replace("_", " ") for word in WORDS[mode].split()]


def preference_of(query: str, mode: str | None = None) -> tuple[str, float]:
    """The mode and how sure it is.

    Raises:
        NoAnswerError: there is no such mode.
    """
    if mode:
        if mode.strip().lower() not in {*WORDS, "balanced"}:
            raise NoAnswerError(mode)
        return mode.strip().lower(), 1.0
    counts = {
        name: sum(
            len(re.findall(rf"\b{re.escape(word)}\b", query.lower())) for word in words_of(name)
        )
        for name in WORDS
    }
    best = max(counts, key=counts.__getitem__)
    if not counts[best]:
        return "balanced", 0.5
    return best, min(1.0, 0.7 + 0.1 * counts[best])


ALL_WORDS = ("all", "every", "everything", "everyone", "everybody", "everywhere")
ONE_WORDS = ("single", "one")
PAGE_WORDS = ("page", "pages", "paged", "paging", "paginate", "paginated", "pagination")
METADATA = {"asset_count": "N", "page_count": "pages", "p95_latency": "p95_latency"}


def heard_in(query: str) -> dict[str, float]:
    """What the words say of the size, whole words only; "one" wins over "all"."""

    def says(words: Sequence[str]) -> bool:
        return any(re.search(rf"\b{word}\b", query.lower()) for word in words)

    heard: dict[str, float] = {}
    if says(ALL_WORDS):
        heard["N"] = 1000
    if says(ONE_WORDS):
        heard["N"] = 1
    if says(PAGE_WORDS):
        heard["pages"] = 5
    return heard


def told_of(query: str, metadata: Figures) -> dict[str, float]:
    """Words, and what is known better."""
    known = {METADATA[name]: value for name, value in metadata.items() if name in METADATA}
    return heard_in(query) | known


def context_of(query: str, metadata: Figures) -> dict[str, float]:
    """All three variables."""
    return {"N": 100, "pages": 1, "p95_latency": 1000} | told_of(query, metadata)


# --- policy --------------------------------------------------------------------------------------

Condition = tuple[Any, ...]
"""("over", name, limit) | ("under", ...) | ("and" | "or", one, other) | ("not", one)."""


def condition_text(condition: Condition) -> str:
    """A condition in its language."""
    match condition:
        case ("over", name, limit):
            return f"{name} > {limit}"
        case ("under", name, limit):
            return f"{name} <= {limit}"
        case ("unequal", name, limit):
            return f"{name} - {limit}"
        case ("not", one):
            return f"not ({condition_text(one)})"
        case (kind, one, other):
            return f"({condition_text(one)}) {kind} ({condition_text(other)})"
        case _:
            raise AssertionError(condition)


def truth_of(condition: Condition, context: Figures) -> bool | None:  # noqa: PLR0911 -- as above
    """Kleene's value of a condition."""
    match condition:
        case ("not", one):
            found = truth_of(one, context)
            return None if found is None else not found
        case ("and" | "or" as kind, one, other):
            deciding = kind == "or"
            sides = {truth_of(one, context), truth_of(other, context)}
            if deciding in sides:
                return deciding
            return None if None in sides else not deciding
        case (_, name, _) if name not in context:
            return None
        case ("over", name, limit):
            return context[name] > limit
        case ("under", name, limit):
            return context[name] <= limit
        case (_, name, limit):
            return context[name] != limit
        case _:
            raise AssertionError(condition)


def violations_of(
    config: Mapping[str, Any], pattern: Mapping[str, Any], context: Figures
) -> list[tuple[str, str]]:
    """Rule and severity of everything that stands in the way, hard ones first.

    `pattern` is flat; its condition is a `Condition` under `when`.
    """
    return [(rule, "hard") for rule in _hard(config, pattern)] + [
        (rule, "soft") for rule in _soft(config, pattern, context)
    ]


def _hard(config: Mapping[str, Any], pattern: Mapping[str, Any]) -> list[str]:
    cost, time_ms = pattern.get("cost") or 0, pattern.get("time_ms")
    environment = config.get("environment", "production")
    available = config.get("available_permissions", ["read", "write", "execute", "admin"])
    allowed, longest_s = pattern.get("allowed_environments"), pattern.get("max_execution_time_s")
    limit_ms = config.get("max_time_ms")
    found: list[str] = []
    limits = (config.get("max_cost"), pattern.get("max_cost"))
    found += ["cost_exceeded" for limit in limits if limit is not None and cost > limit]
    unsafe = not pattern.get("production_safe")
    if config.get("require_production_safe", True) and environment == "production" and unsafe:
        found.append("not_production_safe")
    if not set(pattern.get("required_permissions", [])) <= set(available):
        found.append("missing_permission")
    if allowed is not None and environment not in allowed:
        found.append("environment_mismatch")
    if limit_ms is not None and (time_ms is None or time_ms > limit_ms):
        found.append("time_limit_exceeded")
    if longest_s is not None and time_ms is not None and time_ms > 1000 * longest_s:
        found.append("execution_time_exceeded")
    return found


def _soft(config: Mapping[str, Any], pattern: Mapping[str, Any], context: Figures) -> list[str]:
    found: list[str] = []
    if "when" in pattern and truth_of(pattern["when"], context) is not False:
        found.append("background_required")
    most = pattern.get("max_N_immediate")
    if most is not None and ("N" not in context or context["N"] > most):
        found.append("max_n_immediate_exceeded")
    elevated = {"admin", "root", "sudo"} & set(pattern.get("required_permissions", []))
    asks = config.get("require_approval_for_elevated", True)
    if pattern.get("requires_approval") or (asks and elevated):
        found.append("requires_approval")
    return found


def mode_of(time_ms: float | None, rules: Sequence[str]) -> str:
    """How a pattern should be executed."""
    if "requires_approval" in rules:
        return "approval_required"
    waits = {"background_required", "max_n_immediate_exceeded"} & set(rules)
    return "background" if waits or time_ms is None or time_ms > 5000 else "immediate"


def class_of(time_ms: float | None) -> str:
    """How long somebody waits."""
    if time_ms is None:
        return "unknown"
    return "interactive" if time_ms < 1000 else "batch" if time_ms < 10_000 else "background"


# --- order of steps ------------------------------------------------------------------------------

Steps = Sequence[tuple[str, Sequence[str]]]


def matches(pattern: str, name: str) -> bool:
    """Whether a reference with `*` means a step: first part in front, last at the end."""
    first, *middle = pattern.split("*")
    if not middle:
        return pattern == name
    last = middle.pop()
    if not name.startswith(first) or not name.endswith(last):
        return False
    at = len(first)
    for part in middle:
        at = name.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return at <= len(name) - len(last)


def waits_for(steps: Steps) -> dict[str, set[str]]:
    """The known steps that each one comes after."""
    names = [name for name, _ in steps]
    return {
        name: {
            other
            for reference in references
            for other in names
            if matches(reference, other) and not ("*" in reference and other == name)
        }
        for name, references in steps
    }


def missing_of(steps: Steps) -> list[str]:
    """References that mean no other step."""
    names = [name for name, _ in steps]
    return [
        reference
        for name, references in steps
        for reference in references
        if not any(matches(reference, one) and (one != name or one == reference) for one in names)
    ]


def order_of(steps: Steps) -> list[str] | None:
    """Kahn's order, first come, first served; None if there is a cycle."""
    waiting = {name: set(before) for name, before in waits_for(steps).items()}
    ready = [name for name, before in waiting.items() if not before]
    for name in ready:
        for other, before in waiting.items():
            if name in before:
                before.remove(name)
                if not before:
                    ready.append(other)
    return ready if len(ready) == len(waiting) else None


def levels_of(steps: Steps) -> list[list[str]]:
    """Steps by the longest path that leads to them, each level in the order of the steps."""
    before = waits_for(steps)

    def level(name: str) -> int:
        return 1 + max(map(level, before[name])) if before[name] else 0

    levels: dict[int, list[str]] = {}
    for name in before:
        levels.setdefault(level(name), []).append(name)
    return [levels[number] for number in sorted(levels)]
