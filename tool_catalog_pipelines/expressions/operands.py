"""The nodes of a condition: what each is worth in a context, and why.

Does not belong here: parsing (condition.py) and the functions (condition_functions.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from tool_catalog_pipelines.expressions.condition_functions import MISSING, Function
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.jsonpath import find_values
from tool_catalog_pipelines.expressions.tree import Number, Operation, evaluate

Context = Mapping[str, Any]


class Node(Protocol):
    """A part of a condition."""

    def value(self, context: Context) -> Any:
        """The value, or MISSING."""
        ...

    def because(self, context: Context) -> str:
        """Why it has that value, for a person."""
        ...


def truth(value: Any) -> bool | None:
    """Three-valued truth: missing is unknown; zero, empty and null are false."""
    return None if value is MISSING else bool(value)


def shown(value: Any) -> str:
    """A value in a sentence, cut short."""
    if value is MISSING:
        return "missing"
    text = repr(value) if isinstance(value, str) else str(value)
    if isinstance(value, float) and value.is_integer():
        text = str(int(value))
    return text if len(text) <= 80 else text[:77] + "..."


@dataclass(frozen=True, slots=True)
class Constant:
    """A value as written."""

    constant: Any
    text: str

    def value(self, context: Context) -> Any:
        """The value itself, whatever the context."""
        del context
        return self.constant

    def because(self, context: Context) -> str:
        """The text as written."""
        del context
        return self.text


@dataclass(frozen=True, slots=True)
class Path:
    """A JSONPath: no match is missing, one match its value, more a list."""

    path: str

    def value(self, context: Context) -> Any:
        """What the path finds in the context."""
        try:
            found = find_values(self.path, context)
        except ExpressionError:
            return MISSING
        if not found:
            return MISSING
        return found[0] if len(found) == 1 else found

    def because(self, context: Context) -> str:
        """The path with what it found."""
        return f"{self.path} is {shown(self.value(context))}"


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the context, dotted for fields of objects."""

    name: str

    def value(self, context: Context) -> Any:
        """The value of the name."""
        value: Any = context
        for part in self.name.split("."):
            if not isinstance(value, Mapping):
                return MISSING
            value = cast("Mapping[str, Any]", value).get(part, MISSING)
        return value

    def because(self, context: Context) -> str:
        """The name with its value."""
        return f"{self.name} is {shown(self.value(context))}"


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of operands."""

    elements: tuple[Node, ...]

    def value(self, context: Context) -> Any:
        """The list; missing if an element is."""
        values = [element.value(context) for element in self.elements]
        return MISSING if MISSING in values else values

    def because(self, context: Context) -> str:
        """The list as it is."""
        return shown(self.value(context))


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Numbers combined; anything that is no number makes it missing."""

    symbol: str
    left: Node
    right: Node

    def value(self, context: Context) -> Any:
        """The number, or missing."""
        left, right = self.left.value(context), self.right.value(context)
        if not (is_number(left) and is_number(right)):
            return MISSING
        try:
            return evaluate(Operation(self.symbol, Number(left), Number(right), 1), {})
        except ExpressionError:
            return MISSING

    def because(self, context: Context) -> str:
        """Both sides with the result."""
        sides = f"{self.left.because(context)} {self.symbol} {self.right.because(context)}"
        return f"{sides} gives {shown(self.value(context))}"


@dataclass(frozen=True, slots=True)
class Call:
    """A function call."""

    name: str
    function: Function
    arguments: tuple[Node, ...]

    def value(self, context: Context) -> Any:
        """What the function gives."""
        return self.function(*[argument.value(context) for argument in self.arguments])

    def because(self, context: Context) -> str:
        """The call with its value."""
        arguments = ", ".join(_text(argument) for argument in self.arguments)
        return f"{self.name}({arguments}) is {shown(self.value(context))}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two operands compared; values of different kinds cannot be ordered, which is unknown."""

    symbol: str
    left: Node
    right: Node

    def value(self, context: Context) -> Any:
        """True, false or missing."""
        left, right = self.left.value(context), self.right.value(context)
        if left is MISSING or right is MISSING:
            return MISSING
        if self.symbol in ("==", "!="):
            return (left == right) == (self.symbol == "==")
        comparable = (is_number(left) and is_number(right)) or (
            isinstance(left, str) and isinstance(right, str)
        )
        return _ORDERS[self.symbol](left, right) if comparable else MISSING

    def because(self, context: Context) -> str:
        """The left side with its value, and whether the comparison holds."""
        left, right = self.left.because(context), shown(self.right.value(context))
        verdict = self.value(context)
        if verdict is MISSING:
            return f"{left}, which cannot be compared with {right}"
        return f"{left}, which is {'' if verdict else 'not '}{self.symbol} {right}"


_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Membership:
    """`left in right`: an element of a list, a part of a text, a key of an object."""

    left: Node
    right: Node

    def value(self, context: Context) -> Any:
        """True, false or missing."""
        left, right = self.left.value(context), self.right.value(context)
        if left is MISSING or right is MISSING:
            return MISSING
        if isinstance(right, str):
            return left in right if isinstance(left, str) else MISSING
        if isinstance(right, list):
            return left in cast("list[Any]", right)
        return left in cast("Mapping[Any, Any]", right) if isinstance(right, Mapping) else MISSING

    def because(self, context: Context) -> str:
        """The element and whether it is inside."""
        inside = {True: "is in", False: "is not in"}.get(self.value(context), "cannot be in")
        return f"{self.left.because(context)}, which {inside} {shown(self.right.value(context))}"


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; of unknown, unknown."""

    operand: Node

    def value(self, context: Context) -> Any:
        """True, false or missing."""
        value = truth(self.operand.value(context))
        return MISSING if value is None else not value

    def because(self, context: Context) -> str:
        """The operand's reason."""
        return f"not ({self.operand.because(context)})"


@dataclass(frozen=True, slots=True)
class AllOf:
    """True if all are; false if one is false; else unknown."""

    parts: tuple[Node, ...]

    def value(self, context: Context) -> Any:
        """True, false or missing."""
        values = [truth(part.value(context)) for part in self.parts]
        if False in values:
            return False
        return MISSING if None in values else True

    def because(self, context: Context) -> str:
        """The part that decided, or all of them."""
        return _decided(self.parts, context, self.value(context), " and ")


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True if one is; false if all are false; else unknown."""

    parts: tuple[Node, ...]

    def value(self, context: Context) -> Any:
        """True, false or missing."""
        values = [truth(part.value(context)) for part in self.parts]
        if True in values:
            return True
        return MISSING if None in values else False

    def because(self, context: Context) -> str:
        """The part that decided, or all of them."""
        return _decided(self.parts, context, self.value(context), " and ")


def is_number(value: Any) -> bool:
    """True for numbers that are no booleans."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _decided(parts: Sequence[Node], context: Context, verdict: Any, joint: str) -> str:
    """The reasons of those parts that have the verdict's value."""
    wanted = truth(verdict)
    return joint.join(
        part.because(context) for part in parts if truth(part.value(context)) is wanted
    )


def _text(node: Node) -> str:
    if isinstance(node, Path):
        return node.path
    if isinstance(node, Name):
        return node.name
    return node.text if isinstance(node, Constant) else "..."
