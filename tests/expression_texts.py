"""Seeded texts of the expression and condition languages: correct ones, and broken ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

NAMES = ("N", "pages", "p95_latency", "cost", "time_ms")
_NUMBERS = ("0", "1", "2", "0.5", "3.75", "10", "1e3", "1_000", "0x1F", ".25", "100.", "1e-9")
_HOSTILE = (
    "__import__('os').system('true')", "().__class__.__bases__", "lambda: 0", "exec('1')", "N.real",
    "[x for x in N]", "{1: 2}", "N := 3", "f'{N}'", "9**9**9**9", "1e999", "\x00", "é", "٣", "'",
    '"', "$.a[", "$..*..*..*", "((((", "))))", "not", "in", "if", "else", "1if", "%%", "**", "//",
    "=", "==", "!", "&", "|", "~", "@", "`", "\\", "\n", "\t", "\u202e", "\ud800", "True", "None",
)  # fmt: skip
_TEXT_OPERANDS = (
    "'web-1'", '"a\'b"', "inputs.name", "$.disks.filesystems[*].on", "$.nothing", "null", "true",
    "inputs.limit", "95%", "use", "[1, 'a', null]", "[$.use, $.full.mounts]",
    "$.full.mounts", "$..use", "none", "nan",
    "huge",
)  # fmt: skip
CONTEXT: dict[str, Any] = {
    "full": {"mounts": ["/", "/data"]},
    "disks": {"filesystems": [{"use": 90, "on": "/"}, {"use": 10, "on": "/x"}]},
    "inputs": {"limit": 80, "name": "web-1"},
    "use": 0.97,
    "none": None,
    "nan": float("nan"),
    "huge": 10**400,
    "N": 5,
}


def estimate_text(chance: random.Random, depth: int = 3) -> str:
    """A correct estimate expression."""
    if depth <= 0 or chance.random() < 0.15:
        return chance.choice((*_NUMBERS, *NAMES, *NAMES, "pi", "e"))

    def part() -> str:
        return estimate_text(chance, depth - 1)

    forms: tuple[Callable[[], str], ...] = (
        lambda: f"{part()} {chance.choice(('+', '-', '*', '/', '//', '%'))} {part()}",
        lambda: f"{part()} + {part()}",
        lambda: f"({part()}) ** {chance.choice(('2', '3', '0.5', '-1', part()))}",
        lambda: f"({part()})",
        lambda: f"{chance.choice('-+')}{part()}",
        lambda: f"{chance.choice(('log', 'log2', 'log10', 'sqrt', 'exp', 'abs'))}({part()})",
        lambda: f"{chance.choice(('ceil', 'floor', 'round'))}({part()})",
        lambda: f"{chance.choice(('min', 'max', 'log'))}({part()}, {part()})",
        lambda: f"clamp({part()}, {part()}, {part()})",
        lambda: f"round({part()}, {chance.choice(('0', '2', '-1'))})",
        lambda: f"({part()} if {_test(chance, depth - 1)} else {part()})",
    )
    return chance.choice(forms)()


def _test(chance: random.Random, depth: int) -> str:
    left, right = estimate_text(chance, depth - 1), estimate_text(chance, depth - 1)
    test = f"{left} {chance.choice(('<', '<=', '>', '>=', '==', '!='))} {right}"
    if chance.random() < 0.2:
        return f"{test} {chance.choice(('and', 'or'))} not {chance.choice(NAMES)} > 3"
    return f"1 < {chance.choice(NAMES)} <= 10" if chance.random() < 0.2 else test


def condition_text(chance: random.Random, functions: dict[str, int], depth: int = 3) -> str:
    """A correct condition."""

    def part() -> str:
        return condition_text(chance, functions, depth - 1)

    def call() -> str:
        name = chance.choice(sorted(functions))
        return f"{name}({', '.join(operand() for _ in range(functions[name]))})"

    def operand() -> str:
        simple = chance.choice(_TEXT_OPERANDS)
        return simple if depth <= 0 or chance.random() < 0.6 else estimate_text(chance, 1)

    if depth <= 0:
        return operand()
    forms: tuple[Callable[[], str], ...] = (
        lambda: f"({part()}) and ({part()})",
        lambda: f"{part()} or {part()}",
        lambda: f"not ({part()})",
        lambda: f"{operand()} {chance.choice(('==', '!=', '<', '>=', 'in', 'not in'))} {operand()}",
        call,
        lambda: f"({part()} if {part()} else {operand()})",
    )
    return chance.choice(forms)()


def broken(chance: random.Random, text: str) -> str:
    """The text with one to three places changed."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randint(0, len(text))
        kind = chance.random()
        if kind < 0.4:
            text = text[:at] + chance.choice(_HOSTILE) + text[at:]
        elif kind < 0.7:
            text = text[:at] + text[at + chance.randint(1, 5) :]
        elif kind < 0.85:
            text = text[:at] + text[:at][-20:] + text[at:]
        else:
            text = text[:at] + chr(chance.randrange(32, 127)) + text[at:]
    return text
