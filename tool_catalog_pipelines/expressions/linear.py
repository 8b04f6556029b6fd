"""An estimate as a sum of coefficients times factors, which is what recalibration fits again.

Does not belong here: fitting (stats/recalibration.py).
"""

from __future__ import annotations

from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.scalar import evaluate
from tool_catalog_pipelines.expressions.tree import Binary, Choice, Node, Unary, free_variables

Term = tuple[float, Node | None]
"""Coefficient and factor; the factor None stands for the constant 1."""


def linear_terms(root: Node) -> tuple[Term, ...] | None:
    """The tree as a sum of terms; None if it is no such sum, or a constant in it has no value."""
    try:
        return _terms(root, 1.0)
    except ExpressionError:
        return None


def _terms(node: Node, scale: float) -> tuple[Term, ...] | None:
    if isinstance(node, Unary):
        return _terms(node.operand, -scale)
    if isinstance(node, Binary) and node.symbol in ("+", "-"):
        left = _terms(node.left, scale)
        right = _terms(node.right, -scale if node.symbol == "-" else scale)
        return None if left is None or right is None else left + right
    constant = _constant(node)
    if constant is not None:
        return ((scale * constant, None),)
    if isinstance(node, Binary) and node.symbol in ("*", "/"):
        return _scaled(node, scale)
    return None if isinstance(node, Choice) else ((scale, node),)


def _scaled(node: Binary, scale: float) -> tuple[Term, ...] | None:
    """A product with one constant side, or a quotient with a constant divisor."""
    left, right = _constant(node.left), _constant(node.right)
    if right is not None and (node.symbol == "*" or right != 0):
        return _terms(node.left, scale * right if node.symbol == "*" else scale / right)
    if left is not None and node.symbol == "*":
        return _terms(node.right, scale * left)
    return None if _is_sum(node.left) or _is_sum(node.right) else ((scale, node),)


def _is_sum(node: Node) -> bool:
    return isinstance(node, Binary) and node.symbol in ("+", "-")


def _constant(node: Node) -> float | None:
    return None if free_variables(node) else evaluate(node, {})
