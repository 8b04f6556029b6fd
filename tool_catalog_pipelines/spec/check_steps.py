"""Rules of a chain's steps and schedule that need neither other steps nor the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from zoneinfo import ZoneInfo, available_timezones

from tool_catalog_pipelines.expressions.condition import parse_condition
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.jsonpath import check_path
from tool_catalog_pipelines.spec.base import parse_tool_ref
from tool_catalog_pipelines.spec.chain import ScheduleSpec, StepSpec
from tool_catalog_pipelines.spec.notes import Notes, name_hint
from tool_catalog_pipelines.spec.reader import DocumentPath

_PLACEHOLDER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_.]*\}")
_STAND_INS = ("1", '"x"')
"""Literals that may stand for a placeholder while the syntax of a path is checked."""


def check_step(step: StepSpec, path: DocumentPath, notes: Notes) -> None:
    """Tool reference, condition, paths and retry of one step."""
    if step.tool is not None:
        _check_tool(step.tool, (*path, "tool"), notes)
    if step.when is not None:
        try:
            parse_condition(step.when)
        except ExpressionError as error:
            notes.add_expression((*path, "when"), "'when' cannot be read", error)
    if step.foreach is not None:
        check_text_path(step.foreach.in_, (*path, "foreach", "in"), notes)
    for key, values in (("with", step.with_), ("transform", step.transform or {})):
        for where, reference in _references(values, (*path, key)):
            check_text_path(reference, where, notes)
    if step.retry is not None and step.retry.first_s > step.retry.max_s:
        message = f"the first pause of {step.retry.first_s:g} s is longer than the longest"
        notes.add((*path, "retry"), message, f"'max_s' is {step.retry.max_s:g}", "retry")


def check_text_path(text: str, where: DocumentPath, notes: Notes) -> None:
    """A JSONPath in which placeholders may stand for literals."""
    problems: list[ExpressionError] = []
    for stand_in in _STAND_INS:
        try:
            check_path(_PLACEHOLDER.sub(stand_in, text))
        except ExpressionError as error:
            problems.append(error)
    if len(problems) == len(_STAND_INS):
        notes.add(where, problems[0].message, problems[0].hint, "path")


def check_schedule(schedule: ScheduleSpec, path: DocumentPath, notes: Notes) -> None:
    """Cron has five fields with values in their bounds; the time zone exists."""
    for message, hint in _cron_problems(schedule.cron):
        notes.add((*path, "cron"), message, hint, "cron")
    if not _is_timezone(schedule.timezone):
        zones = sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")
        near = name_hint(schedule.timezone, zones).rpartition("known: ")[0]
        hint = f"{near}write a name like UTC or Europe/Berlin"
        message = f"there is no time zone '{schedule.timezone}'"
        notes.add((*path, "timezone"), message, hint, "timezone")


def _check_tool(text: str, where: DocumentPath, notes: Notes) -> None:
    try:
        parse_tool_ref(text)
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        notes.add(where, message, hint, "tool_reference")


def _references(value: Any, path: DocumentPath) -> Iterator[tuple[DocumentPath, str]]:
    """The `path:` of every reference in a value, with its place."""
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        written = fields.get("path", "$")
        if "from" in fields and isinstance(written, str):
            yield (*path, "path"), written
            return
        for key, element in fields.items():
            yield from _references(element, (*path, key))
    elif isinstance(value, list | tuple):
        for at, element in enumerate(cast("list[Any]", value)):
            yield from _references(element, (*path, at))


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_CRON_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
_CRON_PART = re.compile(r"(?:\*|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>\d{1,4}))?", re.ASCII)
_CRON_HINT = "write five fields: minute hour day-of-month month day-of-week, like '0 6 * * 1-5'"


def _cron_problems(cron: str) -> Iterator[tuple[str, str]]:
    fields = cron.split()
    if len(fields) != len(_CRON_FIELDS):
        yield f"the cron expression '{cron}' has {len(fields)} fields instead of 5", _CRON_HINT
        return
    for text, (name, low, high, words) in zip(fields, _CRON_FIELDS, strict=True):
        bounds = {word: at + low for at, word in enumerate(words)}
        if not all(_is_cron_part(part, low, high, bounds) for part in text.split(",")):
            hint = f"write numbers from {low} to {high}, ranges 'a-b', '*' or steps '*/n'"
            yield f"'{text}' cannot be the {name} of a cron expression", hint


def _is_cron_part(part: str, low: int, high: int, words: Mapping[str, int]) -> bool:
    match = _CRON_PART.fullmatch(part)
    if match is None or (match["step"] is not None and int(match["step"]) == 0):
        return False
    ends = [match[name] for name in ("low", "high") if match[name] is not None]
    values = [words.get(end.lower(), int(end) if end.isdecimal() else -1) for end in ends]
    return all(low <= value <= high for value in values) and values == sorted(values)


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # unknown names, and names that are odd paths
        return False
    return True
