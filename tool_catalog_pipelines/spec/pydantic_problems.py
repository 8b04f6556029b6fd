"""Validation errors of pydantic -> problems with the place in the file, in plain sentences.

Belongs here: wording and places. Does not belong here: rules (the models, spec/checks.py).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tool_catalog_pipelines.spec import base
from tool_catalog_pipelines.spec.model_paths import ModelPath, as_model, known_keys, model_path
from tool_catalog_pipelines.spec.notes import Notes, name_hint
from tool_catalog_pipelines.spec.reader import Document, DocumentPath
from tool_catalog_pipelines.spec.values import describe_value


@dataclass(frozen=True, slots=True)
class _Finding:
    """One error of pydantic with its place found; `value` is what stands there."""

    detail: ErrorDetails
    at: ModelPath
    value: Any

    @property
    def path(self) -> DocumentPath:
        return self.at.path

    @property
    def context(self) -> Mapping[str, Any]:
        return self.detail.get("ctx", {})


_Wording = Callable[[_Finding], tuple[str, str]]


def note_model_problems(
    error: ValidationError,
    model: type[BaseModel],
    document: Document,
    notes: Notes,
    start: DocumentPath = (),
) -> None:
    """Note every error of validating the value at `start` as `model`."""
    for detail in error.errors(include_url=False):
        at = model_path(model, detail["loc"])
        at = ModelPath(
            (*start, *at.path), at.is_key, at.owner, _plus(at.union_at, start), at.member
        )
        if not _is_of_other_member(at, document):
            _note(_Finding(detail, at, document.value_at(at.path)), notes)


def _plus(length: int | None, start: DocumentPath) -> int | None:
    return None if length is None else length + len(start)


def _is_of_other_member(at: ModelPath, document: Document) -> bool:
    """True for errors of a union's member that the written value cannot have been meant as."""
    if at.union_at is None:
        return False
    written = document.value_at(at.path[: at.union_at])
    return (as_model(at.member) is not None) != isinstance(written, Mapping)


def _note(finding: _Finding, notes: Notes) -> None:
    kind = finding.detail["type"]
    if kind == "missing":
        _note_missing(finding, notes)
    elif kind == "extra_forbidden":
        keys = known_keys(finding.at.owner) if finding.at.owner else []
        message = f"unknown key '{finding.path[-1]}'"
        hint = name_hint(str(finding.path[-1]), keys, "known keys")
        notes.add(finding.path, message, hint, "unknown_key", at_key=True)
    elif finding.at.is_key:
        key = str(finding.path[-1])
        _, hint = _pattern_words(finding)
        notes.add(finding.path, f"the key '{key}' is not a good name", hint, "name", at_key=True)
    else:
        message, hint = _WORDINGS.get(kind, _as_pydantic_says)(finding)
        notes.add(finding.path, message, hint, "value")


def _note_missing(finding: _Finding, notes: Notes) -> None:
    *parent, key = finding.path
    if isinstance(key, int):
        notes.add(
            tuple(parent), f"{_subject(tuple(parent))} has too few values", "write two", "value"
        )
        return
    where = f" in {_subject(tuple(parent))}" if parent else ""
    notes.add(tuple(parent), f"missing key '{key}'{where}", f"add '{key}: ...'", "missing_key")


def _subject(path: DocumentPath) -> str:
    """What a sentence is about: `'limit'`, or `element 2 of 'argv'` (counted from 1)."""
    if not path:
        return "the file"
    if isinstance(path[-1], int):
        return f"element {path[-1] + 1} of {_subject(path[:-1])}"
    return f"'{path[-1]}'"


def _must_be(wanted: str, hint: str) -> _Wording:
    def words(finding: _Finding) -> tuple[str, str]:
        shown = describe_value(finding.value)
        what_to_do = "write a value, or remove the key" if finding.value is None else hint
        return f"{_subject(finding.path)} must be {wanted}, but is {shown}", what_to_do

    return words


def _text_wanted(finding: _Finding) -> tuple[str, str]:
    is_scalar = isinstance(finding.value, int | float)
    hint = "put it in quotes" if is_scalar else "write a text"
    return _must_be("text", hint)(finding)


def _choice(finding: _Finding) -> tuple[str, str]:
    allowed = [str(choice) for choice in _choices(finding.context.get("expected", ""))]
    message = f"{_subject(finding.path)} cannot be {describe_value(finding.value)}"
    return message, name_hint(str(finding.value), allowed, "allowed")


def _choices(expected: str) -> tuple[Any, ...]:
    """The list of pydantic's sentence: `'a', 'b' or 'c'`."""
    try:
        choices = ast.literal_eval(f"({expected.replace(' or ', ', ')},)")
    except (SyntaxError, ValueError):
        return (expected,)
    return cast("tuple[Any, ...]", choices)


def _kind(finding: _Finding) -> tuple[str, str]:
    """The tag that chooses a member of a union."""
    key = str(finding.context.get("discriminator", "")).strip("'")
    expected = _choices(str(finding.context.get("expected_tags", "")))
    allowed = ", ".join(str(choice) for choice in expected if choice)
    if finding.detail["type"] == "union_tag_not_found":
        return f"missing key '{key}' in {_subject(finding.path)}", f"add '{key}: command' or python"
    tag = finding.context.get("tag")
    message = f"'{key}' of {_subject(finding.path)} cannot be {tag!r}"
    return message, name_hint(str(tag), allowed.split(", "), "allowed")


def _bound(words: str, key: str) -> _Wording:
    def wording(finding: _Finding) -> tuple[str, str]:
        limit = finding.context.get(key)
        shown = f"{limit:g}" if isinstance(limit, int | float) else str(limit)
        message = f"{_subject(finding.path)} must be {words} {shown}"
        return f"{message}, but is {describe_value(finding.value)}", "correct the number"

    return wording


def _length(finding: _Finding) -> tuple[str, str]:
    context, subject = finding.context, _subject(finding.path)
    of_text = isinstance(finding.value, str)
    unit = "characters" if of_text else "values"
    if "max_length" in context:
        return f"{subject} has more than {context['max_length']} {unit}", "shorten it"
    if context.get("min_length") == 1:
        return f"{subject} must not be empty", "write a text" if of_text else "write at least one"
    return f"{subject} has fewer than {context.get('min_length')} {unit}", "add the missing ones"


def _pattern(finding: _Finding) -> tuple[str, str]:
    wanted, hint = _pattern_words(finding)
    return (
        f"{_subject(finding.path)} must be {wanted}, but is {describe_value(finding.value)}",
        hint,
    )


def _pattern_words(finding: _Finding) -> tuple[str, str]:
    pattern = str(finding.context.get("pattern", ""))
    return _PATTERNS.get(pattern, (f"text like {pattern}", "correct the text"))


def _own_rule(finding: _Finding) -> tuple[str, str]:
    """A rule of our own models: `what is wrong; what to do`."""
    message, _, hint = str(finding.context.get("error", finding.detail["msg"])).partition("; ")
    return message, hint or "remove one or the other"


def _as_pydantic_says(finding: _Finding) -> tuple[str, str]:
    return f"{_subject(finding.path)}: {finding.detail['msg']}", "correct the value"


def _pattern_of(annotated: Any) -> str:
    return str(get_args(annotated)[1].pattern)


_PATTERNS: Mapping[str, tuple[str, str]] = {
    _pattern_of(base.Identifier): (
        "a plain name",
        "use small letters, digits and _, beginning with a letter, at most 63 characters",
    ),
    _pattern_of(base.Name): (
        "a name",
        "use letters, digits, '.', '_' and '-', beginning with a letter or digit, "
        "at most 100 characters",
    ),
    _pattern_of(base.Version): ("a version", "write a version like 1.2.0"),
}
_MAPPING = _must_be("a mapping", "write 'key: value' lines below it, or {key: value}")
_LIST = _must_be("a list", "write [a, b], or '- ' lines below it")
_WHOLE = _must_be("a whole number", "write digits only, without quotes")
_NUMBER = _must_be("a number", "write a number, without quotes")
_WORDINGS: Mapping[str, _Wording] = {
    "string_type": _text_wanted,
    "bool_type": _must_be("true or false", "write true or false, without quotes"),
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": _must_be("a smaller number", "correct the number"),
    "float_type": _NUMBER,
    "finite_number": _NUMBER,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "dict_type": _MAPPING,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "literal_error": _choice,
    "union_tag_invalid": _kind,
    "union_tag_not_found": _kind,
    "greater_than_equal": _bound("at least", "ge"),
    "greater_than": _bound("greater than", "gt"),
    "less_than_equal": _bound("at most", "le"),
    "less_than": _bound("less than", "lt"),
    "string_too_short": _length,
    "string_too_long": _length,
    "too_short": _length,
    "too_long": _length,
    "string_pattern_mismatch": _pattern,
    "value_error": _own_rule,
}
