"""The value of an estimate's tree for millions of rows at once, with numpy.

Rows are taken in blocks that stay in the processor's cache. The hardware's own flags tell when a
block meets a division by zero, an overflow or a value that is none; such a block is gone through
again row by row with scalar.py, which knows the reason. Does not belong here: other shapes than
columns of one length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tool_catalog_pipelines.expressions import scalar
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.functions import MAX_EXPONENT
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
    walk,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

BLOCK_ROWS = 16_384
Columns = Mapping[str, Any]


def evaluate_rows(root: Node, variables: Columns, rows: int | None = None) -> Array:
    """The value of a tree for each row.

    Args:
        root: the tree of an estimate.
        variables: for each name a column of numbers, or one number for all rows.
        rows: how many rows; needed only if no variable is a column.

    Raises:
        ExpressionError: columns of different lengths or not of numbers, or a row without a value.
    """
    import numpy as np

    columns = _columns(root, variables)
    lengths = {column.size for column in columns.values() if column.ndim}
    if len(lengths) > 1:
        raise ExpressionError(f"columns of different lengths: {sorted(lengths)}", code="wrong_kind")
    size = lengths.pop() if lengths else (1 if rows is None else rows)
    result = np.empty(size)
    with np.errstate(over="raise", divide="raise", invalid="raise", under="ignore"):
        for start in range(0, size, BLOCK_ROWS):
            part = slice(start, min(start + BLOCK_ROWS, size))
            block = {name: c[part].astype(np.float64) if c.ndim else float(c)
                     for name, c in columns.items()}  # fmt: skip
            result[part] = _block(root, block, part)
    return result


def _columns(root: Node, variables: Columns) -> dict[str, NDArray[Any]]:
    """The columns that the tree reads, checked for kind and shape."""
    import numpy as np

    found: dict[str, NDArray[Any]] = {}
    for node in walk(root):
        if not isinstance(node, Name) or node.name in found:
            continue
        value = variables.get(node.name, CONSTANTS.get(node.name))
        if value is None:
            message = f"the variable {node.name} has no value"
            raise ExpressionError(message, node.column, "give it one", "unknown_name")
        if not isinstance(value, np.ndarray):
            value = scalar.finite_number(value, node.name, node.column)
        column = np.asarray(value)
        if column.dtype.kind not in "iuf" or column.dtype.itemsize > 8 or column.ndim > 1:
            message = f"the variable {node.name} is no column of numbers"
            raise ExpressionError(message, node.column, "give it numbers", "wrong_kind")
        found[node.name] = column
    return found


def _block(root: Node, block: Columns, part: slice) -> Array:
    import numpy as np

    try:
        values = np.asarray(_value(root, block), dtype=np.float64)
        is_sound = all(np.isfinite(column).all() for column in block.values())
        if is_sound and np.isfinite(values).all():
            return values
    except (FloatingPointError, _SuspectError):
        pass
    return _row_by_row(root, block, part)


def _row_by_row(root: Node, block: Columns, part: slice) -> Array:
    """The same values slowly, or the error of the first row that has none."""
    import numpy as np

    size = part.stop - part.start
    columns = {name: np.broadcast_to(column, size).tolist() for name, column in block.items()}
    values = np.empty(size)
    for row in range(size):
        try:
            values[row] = scalar.evaluate(root, {name: c[row] for name, c in columns.items()})
        except ExpressionError as error:
            message = f"{error.message} (row {part.start + row})"
            raise ExpressionError(message, error.column, error.hint, error.code) from error
    return values


class _SuspectError(Exception):
    """A block that has to be looked at row by row."""


def _value(node: Node, block: Columns) -> Any:
    """The value as a block's column, or one number if it depends on no column."""
    import numpy as np

    match node:
        case Constant(value=value):
            return value
        case Name(name=name):
            return block[name]
        case Unary(operand=operand):
            return np.negative(_value(operand, block))
        case Binary():
            return _operate(node.symbol, _value(node.left, block), _value(node.right, block))
        case Call():
            return _call(node.name, [_value(argument, block) for argument in node.arguments])
        case _:
            return _choice(node, block)


def _operate(symbol: str, left: Any, right: Any) -> Any:
    import numpy as np

    functions: Mapping[str, Callable[[Any, Any], Any]] = {
        "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide,
        "//": np.floor_divide, "%": np.remainder, "**": np.power,
    }  # fmt: skip
    if symbol == "**" and np.max(np.abs(right)) > MAX_EXPONENT:
        raise _SuspectError
    value = functions[symbol](left, right)
    # What is divided without a remainder may be infinite without a flag.
    if symbol == "//" and not np.isfinite(value).all():
        raise _SuspectError
    return value


def _call(name: str, arguments: list[Any]) -> Any:
    import numpy as np

    functions: Mapping[str, Callable[..., Any]] = {
        "log2": np.log2, "log10": np.log10, "sqrt": np.sqrt, "exp": np.exp, "abs": np.abs,
        "ceil": np.ceil, "floor": np.floor, "log": _log, "min": _least, "max": _most,
        "round": _rounded, "clamp": _clamped,
    }  # fmt: skip
    return functions[name](*arguments)


def _log(value: Any, base: Any = None) -> Any:
    import numpy as np

    return np.log(value) if base is None else np.divide(np.log(value), np.log(base))


def _least(first: Any, *others: Any) -> Any:
    import numpy as np

    for other in others:
        first = np.minimum(first, other)
    return first


def _most(first: Any, *others: Any) -> Any:
    import numpy as np

    for other in others:
        first = np.maximum(first, other)
    return first


def _rounded(value: Any, digits: float = 0.0) -> Any:
    import numpy as np

    scale = 10.0**digits
    return np.divide(np.rint(np.multiply(value, scale)), scale)


def _clamped(value: Any, low: Any, high: Any) -> Any:
    import numpy as np

    return np.maximum(low, np.minimum(high, value))


def _choice(node: Node, block: Columns) -> Any:
    """Each branch is evaluated only for the rows that take it."""
    import numpy as np

    if not isinstance(node, Choice):
        raise _SuspectError
    chosen = np.asarray(_holds(node.condition, block))
    if chosen.all():
        return _value(node.then, block)
    if not chosen.any():
        return _value(node.otherwise, block)
    result = np.empty(chosen.shape)
    for mask, branch in ((chosen, node.then), (~chosen, node.otherwise)):
        result[mask] = _value(branch, _masked(block, mask))
    return result


def _masked(block: Columns, mask: Any) -> Columns:
    import numpy as np

    return {name: c[mask] if np.ndim(c) else c for name, c in block.items()}


def _holds(node: Node, block: Columns) -> Any:
    """For which rows a condition holds; later parts see only the rows that they decide."""
    import numpy as np

    match node:
        case Logic():
            return _logic(node, block)
        case Unary(symbol="not"):
            return np.logical_not(_holds(node.operand, block))
        case Comparison():
            return _compared(node, block)
        case _:
            return np.not_equal(_value(node, block), 0)


def _logic(node: Logic, block: Columns) -> Any:
    import numpy as np

    is_and = node.symbol == "and"
    size = max((np.size(c) for c in block.values() if np.ndim(c)), default=None)
    if size is None:
        combine = np.logical_and if is_and else np.logical_or
        return combine.reduce([_holds(part, block) for part in node.parts])
    result = np.full(size, is_and)
    for part in node.parts:
        undecided = result if is_and else ~result
        if undecided.any():
            result[undecided] = _holds(part, _masked(block, undecided))
    return result


def _compared(node: Comparison, block: Columns) -> Any:
    import numpy as np

    symbols: Mapping[str, Callable[[Any, Any], Any]] = {
        "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
        "==": np.equal, "!=": np.not_equal,
    }  # fmt: skip
    values = [_value(operand, block) for operand in node.operands]
    results = [symbols[s](values[at], values[at + 1]) for at, s in enumerate(node.symbols)]
    return results[0] if len(results) == 1 else np.logical_and.reduce(np.broadcast_arrays(*results))
