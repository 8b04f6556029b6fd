"""The range of values that an estimate takes while its variables go through theirs.

The result encloses every value, and is exact where each variable occurs once (up to the last digits
of logarithms, powers and remainders, which are widened) and nothing goes on calculating with what
jumps: `floor(N)` takes only whole numbers, its interval has all between them. Where a part of the
range has no value there is no interval, but an error that says which part. Does not belong here:
whether an estimate grows (growth.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, product

from tool_catalog_pipelines.expressions import scalar
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.functions import MAX_EXPONENT
from tool_catalog_pipelines.expressions.narrowing import Interval, Ranges, narrowed
from tool_catalog_pipelines.expressions.tree import (
    CONSTANTS,
    Binary,
    Call,
    Choice,
    Comparison,
    Constant,
    Logic,
    Name,
    Node,
    Unary,
)

_MOST_TURNS = 50
_LARGEST_TURN = 1e6
_STEPPED = frozenset({"log", "log2", "log10", "exp"})


def interval(node: Node, ranges: Ranges) -> Interval:
    """The interval of a tree.

    Raises:
        ExpressionError: a variable has no range, or there is no finite value somewhere in it.
    """
    match node:
        case Constant(value=float() as value):
            return Interval(value, value)
        case Name():
            return _range(node, ranges)
        case Unary(symbol="-"):
            inner = interval(node.operand, ranges)
            return Interval(-inner.high, -inner.low)
        case Binary():
            left, right = interval(node.left, ranges), interval(node.right, ranges)
            return _OPERATIONS[node.symbol](left, right, node.column)
        case Call():
            return _call(node, [interval(argument, ranges) for argument in node.arguments])
        case _:
            return _choice(node, ranges)


def certainty(node: Node, ranges: Ranges) -> bool | None:
    """Whether a condition holds everywhere (true), nowhere (false), or here and there (None).

    Raises:
        ExpressionError: as `interval`.
    """
    match node:
        case Logic():
            return _combined(node.symbol, [certainty(part, ranges) for part in node.parts])
        case Unary(symbol="not"):
            inner = certainty(node.operand, ranges)
            return None if inner is None else not inner
        case Comparison():
            sides = [interval(operand, ranges) for operand in node.operands]
            pairs = zip(node.symbols, pairwise(sides), strict=True)
            return _combined("and", [_order(symbol, *pair) for symbol, pair in pairs])
        case _:
            inner = interval(node, ranges)
            return False if inner == Interval(0.0, 0.0) else (None if inner.holds(0) else True)


def _combined(symbol: str, found: Sequence[bool | None]) -> bool | None:
    decisive = symbol == "or"
    if decisive in found:
        return decisive
    return None if None in found else not decisive


def _order(symbol: str, left: Interval, right: Interval) -> bool | None:
    """Whether a comparison holds for all pairs, for none, or for some."""
    if symbol in (">", ">="):
        symbol, left, right = "<" + symbol[1:], right, left
    if symbol in ("==", "!="):
        is_apart = left.high < right.low or right.high < left.low
        same = False if is_apart else (True if left.is_point and left == right else None)
        return same if symbol == "==" or same is None else not same
    compare = scalar.ORDERS[symbol]
    if compare(left.high, right.low):
        return True
    return None if compare(left.low, right.high) else False


def _range(node: Name, ranges: Ranges) -> Interval:
    found = ranges.get(node.name)
    if found is not None:
        return found
    if node.name in CONSTANTS:
        return Interval(CONSTANTS[node.name], CONSTANTS[node.name])
    message = f"the variable {node.name} has no range"
    raise ExpressionError(message, node.column, "give it one", "unknown_name")


def _choice(node: Node, ranges: Ranges) -> Interval:
    if not isinstance(node, Choice):
        raise ExpressionError("this is not a number", code="wrong_kind")
    is_certain = certainty(node.condition, ranges)
    branches: list[Interval] = []
    for wanted, branch in ((True, node.then), (False, node.otherwise)):
        if is_certain is not (not wanted):
            inside = narrowed(node.condition, wanted, ranges)
            branches.append(interval(branch, inside))
    return _hull(branches)


def _hull(parts: Sequence[Interval]) -> Interval:
    return Interval(min(part.low for part in parts), max(part.high for part in parts))


def _corners(symbol: str, left: Interval, right: Interval, column: int) -> Interval:
    """For operations that are monotone in each side: the ends are at the ends."""
    pairs = product((left.low, left.high), (right.low, right.high))
    values = [scalar.operate(symbol, a, b, column) for a, b in pairs]
    return Interval(min(values), max(values))


def _sum(left: Interval, right: Interval, column: int) -> Interval:
    low = scalar.operate("+", left.low, right.low, column)
    return Interval(low, scalar.operate("+", left.high, right.high, column))


def _difference(left: Interval, right: Interval, column: int) -> Interval:
    return _sum(left, Interval(-right.high, -right.low), column)


def _refuse_zero(divisor: Interval, column: int) -> None:
    if divisor.holds(0):
        what = "division by zero" if divisor.is_point else f"the divisor is {divisor}, also zero"
        raise ExpressionError(what, column, code="no_value")


def _quotient(left: Interval, right: Interval, column: int) -> Interval:
    _refuse_zero(right, column)
    return _corners("/", left, right, column)


def _floor_quotient(left: Interval, right: Interval, column: int) -> Interval:
    _refuse_zero(right, column)
    return _corners("//", left, right, column)


def _remainder(left: Interval, right: Interval, column: int) -> Interval:
    """X % y lies between 0 and y; exact unless there are very many turns."""
    _refuse_zero(right, column)
    if right.high < 0:
        mirrored = _remainder(
            Interval(-left.high, -left.low), Interval(-right.high, -right.low), column
        )
        return Interval(-mirrored.high, -mirrored.low)
    if left.low >= 0 and left.high < right.low:
        return left
    if right.is_point and left.low // right.low == left.high // right.low:
        low, high = left.low % right.low, left.high % right.low
        if low <= high:
            return Interval(low, high)
    turns = [scalar.operate("//", x, y, column) for x in (left.low, left.high)
             for y in (right.low, right.high)]  # fmt: skip
    if max(turns) - min(turns) > _MOST_TURNS or max(map(abs, turns)) > _LARGEST_TURN:
        return Interval(0.0, min(right.high, left.high) if left.low >= 0 else right.high)
    numbers = range(int(min(turns)), int(max(turns)) + 1)
    ends = [end for turn in numbers for end in _in_turn(turn, left, right)]
    slack = 4 * math.ulp(max(abs(left.low), abs(left.high), right.high))
    low, high = max(min(ends) - slack, 0.0), min(max(ends) + slack, right.high)
    return Interval(0.0 if low <= slack else low, high)


def _in_turn(turn: int, left: Interval, right: Interval) -> tuple[float, ...]:
    """The least and the greatest x - turn * y where x // y is `turn`; nothing if it never is.

    Both are linear in pieces, so that they lie where a border of the pieces is met.
    """
    borders = [right.low, right.high]
    borders += [x / k for x in (left.low, left.high) for k in (turn, turn + 1) if k]
    found: list[float] = []
    for y in borders:
        low, high = max(left.low, turn * y), min(left.high, (turn + 1) * y)
        if right.holds(y) and low <= high:
            found += [low - turn * y, high - turn * y]
    return (min(found), max(found)) if found else ()


def _power(base: Interval, exponent: Interval, column: int) -> Interval:
    if max(abs(exponent.low), abs(exponent.high)) > MAX_EXPONENT:
        message = f"the exponent is {exponent}, beyond {MAX_EXPONENT:g}"
        raise ExpressionError(message, column, code="limit")
    is_whole = exponent.is_point and exponent.low.is_integer()
    if base.low < 0 and not is_whole:
        message = f"the base is {base}, also negative, and the exponent no whole number"
        raise ExpressionError(message, column, code="no_value")
    if exponent.low < 0:
        _refuse_zero(base, column)
    found = _corners("**", base, exponent, column)
    if is_whole and exponent.low % 2 == 0 and exponent.low > 0 and base.low < 0 < base.high:
        found = Interval(0.0, found.high)
    return found if base.is_point and exponent.is_point else _widened(found)


_OPERATIONS: Mapping[str, Callable[[Interval, Interval, int], Interval]] = {
    "+": _sum,
    "-": _difference,
    "*": lambda left, right, column: _corners("*", left, right, column),
    "/": _quotient,
    "//": _floor_quotient,
    "%": _remainder,
    "**": _power,
}


def _call(node: Call, arguments: Sequence[Interval]) -> Interval:
    """All functions but abs and log with a base are monotone in each argument."""
    if node.name == "abs" and arguments[0].holds(0):
        return Interval(0.0, max(-arguments[0].low, arguments[0].high))
    if node.name == "log" and len(arguments) == 2 and arguments[1].holds(1):
        message = f"the base of the logarithm is {arguments[1]}, also 1"
        raise ExpressionError(message, node.column, code="no_value")
    ends = [(argument.low, argument.high) for argument in arguments]
    corners = product(*ends) if node.name in ("abs", "log") else zip(*ends, strict=True)
    values = [scalar.call(node.name, list(corner), node.column) for corner in corners]
    found = Interval(min(values), max(values))
    is_exact = node.name not in _STEPPED or all(argument.is_point for argument in arguments)
    return found if is_exact else _widened(found)


def _widened(found: Interval) -> Interval:
    """One step outwards, because libraries of mathematics may miss the last digit."""
    low, high = math.nextafter(found.low, -math.inf), math.nextafter(found.high, math.inf)
    low = 0.0 if found.low >= 0 > low else low
    return Interval(low, min(high, math.nextafter(math.inf, 0)))
