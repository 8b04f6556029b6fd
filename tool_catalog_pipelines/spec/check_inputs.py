"""Rules of declared inputs: ranges, regular expressions, allowed values, defaults.

Does not belong here: the calls that give them values (check_examples.py).
"""

from __future__ import annotations

import re
import threading
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from tool_catalog_pipelines.expressions.regexes import unsearchable
from tool_catalog_pipelines.spec.base import JsonValue, TypeName
from tool_catalog_pipelines.spec.chain import ChainInputSpec
from tool_catalog_pipelines.spec.notes import Notes
from tool_catalog_pipelines.spec.reader import DocumentPath
from tool_catalog_pipelines.spec.tool import InputSpec, PatternSpec
from tool_catalog_pipelines.spec.values import value_problem

_NUMERIC = ("integer", "number", "array")
_TEXTUAL = ("string", "array")
_LONGEST_S = 5.0
"""For all values of one file; the slowest files that people wrote take milliseconds."""


@dataclass(frozen=True, slots=True)
class _Declared:
    """One declared input, of a tool or of a chain, and where it stands."""

    name: str
    spec: InputSpec | ChainInputSpec
    path: DocumentPath

    @property
    def type(self) -> TypeName:
        return self.spec.type


def check_inputs(pattern: PatternSpec, path: DocumentPath, notes: Notes) -> None:
    """Every input of a pattern by itself, and that names are unique."""
    seen: dict[str, str] = {}
    for key in ("required_inputs", "optional_inputs"):
        specs: Sequence[InputSpec] = getattr(pattern, key)
        for at, spec in enumerate(specs):
            where = (*path, key, at)
            if spec.name in seen:
                notes.add(
                    (*where, "name"),
                    f"the input '{spec.name}' is declared already, under {seen[spec.name]}",
                    "remove or rename one of the two",
                    "duplicate",
                )
            seen.setdefault(spec.name, key)
            _check_tool_input(_Declared(spec.name, spec, where), spec, notes)


def check_chain_input(name: str, spec: ChainInputSpec, path: DocumentPath, notes: Notes) -> None:
    """One input of a chain."""
    declared = _Declared(name, spec, path)
    has_value = not spec.is_required and spec.default is not None  # null: may be left out
    if _check_rules(declared, notes) and has_value:
        _check_value(declared, spec.default, (*path, "default"), "the default", notes)


def _check_tool_input(declared: _Declared, spec: InputSpec, notes: Notes) -> None:
    if not _check_rules(declared, notes):
        return
    if spec.default is not None:
        where = (*declared.path, "default")
        _check_value(declared, spec.default, where, "the default", notes)
    for at, example in enumerate(spec.examples):
        where = (*declared.path, "examples", at)
        _check_value(declared, example, where, "the example", notes)


def check_given_value(
    spec: InputSpec, value: JsonValue, where: DocumentPath, what: str, notes: Notes
) -> None:
    """A value that an example gives to an input whose rules make sense; else nothing is said."""
    if spec.validation is None or regex_problem(spec.validation) is None:
        _check_value(_Declared(spec.name, spec, where), value, where, what, notes)


def _check_value(
    declared: _Declared, value: JsonValue, where: DocumentPath, what: str, notes: Notes
) -> None:
    problem = _compared(declared, value, declared.spec.allowed_values, where, notes)
    if problem:
        of_input = "" if what.startswith("'") else f" of the input '{declared.name}'"
        notes.add(where, f"{what}{of_input} {problem}", "correct the value or the rule", "value")


def _compared(
    declared: _Declared,
    value: JsonValue,
    allowed: Sequence[JsonValue] | None,
    where: DocumentPath,
    notes: Notes,
) -> str | None:
    """What is wrong with a value; nothing more is compared once a file has taken its time."""
    spec = declared.spec
    if notes.compared_s > _LONGEST_S:
        return None
    started = time.monotonic()
    problem = value_problem(value, spec.type, spec.range, allowed, spec.validation)
    notes.compared_s += time.monotonic() - started
    if notes.compared_s > _LONGEST_S:
        message = f"comparing values with their rules takes more than {_LONGEST_S:g} s"
        notes.add(where, message, "use simpler regular expressions, or fewer values", "regex")
    return problem


def _check_rules(declared: _Declared, notes: Notes) -> bool:
    """Do range, regular expression and allowed values make sense? False if values cannot tell."""
    before = notes.count
    _check_range(declared, notes)
    _check_regex(declared, notes)
    if notes.count == before:
        _check_allowed(declared, notes)
    return notes.count == before


def _check_range(declared: _Declared, notes: Notes) -> None:
    if declared.spec.range is None:
        return
    where = (*declared.path, "range")
    low, high = declared.spec.range
    if low > high:
        message = f"the range of '{declared.name}' begins at {low:g}, above its end {high:g}"
        notes.add(where, message, "write [smallest, largest]", "range")
    if declared.type not in _NUMERIC:
        message = f"'{declared.name}' has a range, but its type is {declared.type}"
        notes.add(where, message, "a range is for integer and number", "range")


def _check_regex(declared: _Declared, notes: Notes) -> None:
    validation = declared.spec.validation
    if validation is None:
        return
    where = (*declared.path, "validation")
    if declared.type not in _TEXTUAL:
        message = f"'{declared.name}' has a regular expression, but its type is {declared.type}"
        notes.add(where, message, "'validation' is for type string", "regex")
    problem = regex_problem(validation)
    if problem:
        notes.add(where, f"'validation' of '{declared.name}': {problem}", REGEX_HINT, "regex")


def _check_allowed(declared: _Declared, notes: Notes) -> None:
    spec = declared.spec
    if spec.allowed_values is None:
        return
    where = (*declared.path, "allowed_values")
    if not spec.allowed_values:
        notes.add(where, "no value is allowed", "list the allowed values, or remove the key")
    if spec.type == "array":
        return  # an element or a whole list may be listed
    for at, value in enumerate(spec.allowed_values):
        problem = _compared(declared, value, None, (*where, at), notes)
        if problem:
            message = f"an allowed value of '{declared.name}' {problem}"
            notes.add((*where, at), message, "correct the value or the rule", "value")


_COMPILING = threading.Lock()
"""Filters of warnings belong to the whole process, so one expression at a time."""
REGEX_HINT = "write a regular expression as in Python, in single quotes"


def regex_problem(pattern: str) -> str | None:
    """Why a regular expression does not compile, or may change its meaning, or None.

    Python warns of `[[:space:]]` and the like, which does not mean here what it means to grep.
    """
    try:
        with _COMPILING, warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError, FutureWarning) as error:
        return f"the regular expression {pattern!r} is wrong: {error}"
    why = unsearchable(pattern)
    return f"the regular expression {pattern!r} cannot be used: {why}" if why else None
