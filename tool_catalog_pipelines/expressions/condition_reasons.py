"""Why a condition holds or not: a sentence for people, a tree for programs.

Does not belong here: what a part is worth (condition_values.py).
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from typing import Any

from tool_catalog_pipelines.expressions.condition_functions import MISSING
from tool_catalog_pipelines.expressions.condition_values import Valued, compared, truth
from tool_catalog_pipelines.expressions.render import render
from tool_catalog_pipelines.expressions.tree import (
    Binary,
    Call,
    Choice,
    Comparison,
    Constant,
    ListOf,
    Logic,
    Name,
    Path,
    Unary,
)

_LONGEST = 80


class _Short(reprlib.Repr):
    """Values as the language writes them, only the beginning of what is long or deep."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxlist, self.maxdict = 5, 20, 20
        self.maxstring = self.maxother = self.maxlong = _LONGEST

    def repr_float(self, value: float, _: int) -> str:
        return repr(int(value) if value.is_integer() else value)

    def repr_bool(self, value: bool, _: int) -> str:
        return render(Constant(value))

    def repr_NoneType(self, value: None, _: int) -> str:  # noqa: N802 - named after the type
        return render(Constant(value))


def shown(value: Any) -> str:
    """A value in a sentence, cut short."""
    if value is MISSING:
        return "missing"
    try:
        return _cut(_Short().repr(value))
    except ValueError:  # an integer of more digits than Python is willing to write
        return "a number of thousands of digits"


def because(part: Valued) -> str:
    """Why a part has its value."""
    if part.reason:
        return f"{_cut(render(part.node))} is unknown: {part.reason}"
    match part.node:
        case Constant():
            text = _cut(render(part.node))
        case Name() | Path():
            text = f"{_cut(render(part.node))} is {shown(part.value)}"
        case ListOf():
            text = shown(part.value)
        case Call():
            arguments = ", ".join(_cut(render(argument)) for argument in part.node.arguments)
            text = f"{part.node.name}({arguments}) is {shown(part.value)}"
        case Unary(symbol="not"):
            text = f"not ({because(part.parts[0])})"
        case Unary() | Binary():
            text = _computed(part)
        case Comparison():
            text = _comparison(part, part.node)
        case Logic() | Choice():
            text = " and ".join(because(one) for one in deciding(part))
    return text


def _computed(part: Valued) -> str:
    """A calculation with its result, and what it was made of."""
    known = f"{_cut(render(part.node))} is {shown(part.value)}"
    used = ", ".join(dict.fromkeys(_given(part)))
    return f"{known} ({used})" if used else known


def _given(part: Valued) -> Iterator[str]:
    """What a calculation took from outside."""
    for one in part.parts:
        if isinstance(one.node, Name | Path | Call):
            yield because(one)
        else:
            yield from _given(one)


def deciding(part: Valued) -> tuple[Valued, ...]:
    """The parts that made a part what it is."""
    if isinstance(part.node, Logic):
        return tuple(one for one in part.parts if one.truth is part.truth)
    if isinstance(part.node, Choice):
        condition, then, otherwise = part.parts
        if condition.truth is None:
            return (condition,)
        return (condition, then if condition.truth else otherwise)
    return part.parts


def explanation(part: Valued, decides: bool = True) -> dict[str, Any]:
    """The tree: of each part its text, value, whether it is known and whether it decided."""
    causes = deciding(part) if decides else ()
    is_known = part.value is not MISSING
    return {
        **({"reason": part.reason} if part.reason else {}),
        "part": render(part.node),
        "value": _plain(part.value) if is_known else None,
        "known": is_known,
        "decides": decides,
        "parts": [explanation(one, any(one is cause for cause in causes)) for one in part.parts],
    }


def _comparison(part: Valued, node: Comparison) -> str:
    """The pairs of a chain that decided; of a single comparison, that one."""
    verdicts = compared(node, [one.value for one in part.parts])
    return " and ".join(
        _pair(part.parts[at], symbol, part.parts[at + 1], verdict)
        for at, (symbol, verdict) in enumerate(zip(node.symbols, verdicts, strict=True))
        if truth(verdict) is part.truth
    )


def _pair(left: Valued, symbol: str, right: Valued, verdict: Any) -> str:
    subject, other = because(left), shown(right.value)
    if verdict is MISSING and right.value is MISSING:
        other = f"{_cut(render(right.node))}, which is missing"
    if symbol in ("in", "not in"):
        if verdict is MISSING:
            return f"{subject}, which cannot be in {other}"
        return f"{subject}, which {'is' if verdict == (symbol == 'in') else 'is not'} in {other}"
    if verdict is MISSING:
        return f"{subject}, which cannot be compared with {other}"
    return f"{subject}, which is {'' if verdict else 'not '}{symbol} {other}"


def _plain(value: Any) -> Any:
    """A value for JSON; large ones as a text that is cut short."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) < 2**63:
        return value
    return _cut(value) if isinstance(value, str) else shown(value)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
