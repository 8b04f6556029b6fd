"""A tree as text that parses to the same tree, with no more parentheses than that needs."""

from __future__ import annotations

from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.tree import (
    Binary,
    Call,
    Choice,
    Comparison,
    Constant,
    ListOf,
    Logic,
    Name,
    Node,
    Path,
    Unary,
)

_CHOICE, _OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _MINUS, _POWER, _ATOM = range(10)
_LEVELS = {
    "or": _OR, "and": _AND, "not": _NOT, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT,
    "//": _PRODUCT, "%": _PRODUCT, "**": _POWER,
}  # fmt: skip
_WORDS = {None: "null", True: "true", False: "false"}


def render(node: Node) -> str:
    """The text of a tree."""
    match node:
        case Constant(value=value):
            text = _constant(value)
        case Name(name=text) | Path(path=text):
            pass
        case ListOf():
            text = f"[{_listed(node.elements)}]"
        case Call():
            text = f"{node.name}({_listed(node.arguments)})"
        case _:
            text = _operation(node)
    return text


def _operation(node: Unary | Binary | Comparison | Logic | Choice) -> str:
    match node:
        case Unary(symbol=symbol):
            minus = f"-{_inside(node.operand, _MINUS)}"
            text = minus if symbol == "-" else f"not {_inside(node.operand, _NOT)}"
        case Binary():
            text = _binary(node)
        case Comparison():
            text = _comparison(node)
        case Logic(symbol=symbol):
            least = _AND if symbol == "or" else _NOT
            text = f" {symbol} ".join(_inside(part, least) for part in node.parts)
        case Choice():
            parts = _inside(node.then, _OR), _inside(node.condition, _OR), render(node.otherwise)
            text = f"{parts[0]} if {parts[1]} else {parts[2]}"
    return text


def _listed(nodes: tuple[Node, ...]) -> str:
    return ", ".join(render(node) for node in nodes)


def _constant(value: float | str | bool | None) -> str:
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, str):
        quote = '"' if "'" in value else "'"
        if quote in value:
            raise ExpressionError("a text with both kinds of quotes cannot be written")
        return f"{quote}{value}{quote}"
    return repr(value).removesuffix(".0")


def _binary(node: Binary) -> str:
    if node.symbol == "**":
        return f"{_inside(node.left, _ATOM)} ** {_inside(node.right, _MINUS)}"
    own = _level(node)
    return f"{_inside(node.left, own)} {node.symbol} {_inside(node.right, own + 1)}"


def _comparison(node: Comparison) -> str:
    first, *others = [_inside(operand, _SUM) for operand in node.operands]
    pairs = zip(node.symbols, others, strict=True)
    return " ".join([first, *(f"{symbol} {text}" for symbol, text in pairs)])


def _inside(node: Node, least: int) -> str:
    """The text of a part, in parentheses if it binds weaker than its place asks for."""
    text = render(node)
    return f"({text})" if _level(node) < least else text


def _level(node: Node) -> int:
    """How strongly the outermost operation of a tree binds."""
    match node:
        case Binary(symbol=symbol) | Unary(symbol=symbol) | Logic(symbol=symbol):
            return _MINUS if isinstance(node, Unary) and symbol == "-" else _LEVELS[symbol]
        case Comparison():
            return _COMPARISON
        case Choice():
            return _CHOICE
        case Constant(value=float() as value) if value < 0:
            return _MINUS
        case _:
            return _ATOM
