"""Rules of a pattern's binding: placeholders, conditions, commands, calls, functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from typing import cast

from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.binding import (
    CommandBinding,
    HttpBinding,
    IfArgument,
    PythonBinding,
)
from tool_catalog_pipelines.spec.check_outputs import check_parser
from tool_catalog_pipelines.spec.notes import Notes, name_hint
from tool_catalog_pipelines.spec.reader import DocumentPath
from tool_catalog_pipelines.spec.tool import PatternSpec

FUNCTION_GROUP = "tool_catalog_pipelines.functions"
_TOKEN = re.compile(
    r"\$\{secret:[A-Za-z0-9][A-Za-z0-9_.-]*\}|\{\{|\}\}"
    r"|\{(?P<name>[a-z][a-z0-9_]*)\}|(?P<stray>[{}])"
)
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh"})
_SHELLS_TO_THE_END = frozenset({"cmd", "powershell", "pwsh"})
"""These join every argument after the switch to one program; the others read only the next."""
_SHELL_SWITCHES = frozenset({"-c", "-lc", "/c", "/k", "-command", "-encodedcommand"})


def check_binding(pattern: PatternSpec, path: DocumentPath, notes: Notes) -> None:
    """A command's placeholders and parser, or a function's name. No binding is fine."""
    binding = pattern.binding
    where = (*path, "binding")
    if isinstance(binding, PythonBinding):
        _check_function(binding.function, (*where, "function"), notes)
    elif isinstance(binding, CommandBinding):
        for at, text in _texts(binding, where):
            _check_placeholders(text, pattern, at, notes)
        _check_conditions(binding, pattern, where, notes)
        _check_command(binding, where, notes)
        _check_shell_text(binding, where, notes)
        check_parser(binding.output, pattern, (*where, "output"), notes)
    elif isinstance(binding, HttpBinding):
        for at, text in _http_texts(binding, where):
            _check_placeholders(text, pattern, at, notes)
        _check_http(binding, where, notes)
        check_parser(binding.output, pattern, (*where, "output"), notes)


def _texts(binding: CommandBinding, where: DocumentPath) -> Iterator[tuple[DocumentPath, str]]:
    """Every text of a command that may hold placeholders, with its path."""
    for at, element in enumerate(binding.argv):
        here = (*where, "argv", at)
        if isinstance(element, str):
            yield here, element
            continue
        yield from (((*here, "then", n), text) for n, text in enumerate(element.then))
        yield from (((*here, "else", n), text) for n, text in enumerate(element.else_))
    for key in ("stdin", "cwd"):
        text = getattr(binding, key)
        if text is not None:
            yield (*where, key), text
    yield from (((*where, "env", name), text) for name, text in binding.env.items())


def _http_texts(binding: HttpBinding, where: DocumentPath) -> Iterator[tuple[DocumentPath, str]]:
    """Every text of a call that may hold placeholders, with its path."""
    yield (*where, "url"), binding.url
    for key in ("query", "headers"):
        texts: Mapping[str, str] = getattr(binding, key)
        yield from (((*where, key, name), text) for name, text in texts.items())
    yield from _body_texts(binding.body, (*where, "body"))


def _body_texts(value: JsonValue, where: DocumentPath) -> Iterator[tuple[DocumentPath, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, element in cast("Mapping[str, JsonValue]", value).items():
            yield from _body_texts(element, (*where, key))
    elif isinstance(value, list):
        for at, element in enumerate(cast("list[JsonValue]", value)):
            yield from _body_texts(element, (*where, at))


def _check_http(binding: HttpBinding, where: DocumentPath, notes: Notes) -> None:
    """A call goes to http or https, holds no password in its address, and names clear headers."""
    scheme, _, rest = binding.url.partition("://")
    if not rest and not _TOKEN.match(binding.url):
        message = f"the address {binding.url!r} does not begin with http:// or https://"
        notes.add((*where, "url"), message, "write the whole address", "url")
    elif rest and scheme not in ("http", "https"):
        message = f"the scheme {scheme!r} cannot be called"
        notes.add((*where, "url"), message, "use http or https", "url")
    if "@" in rest.partition("/")[0]:
        hint = "put ${secret:name} into a header"
        notes.add((*where, "url"), "the address holds a user or password", hint, "url")
    for name in binding.headers:
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
            message = f"'{name}' cannot be the name of a header"
            notes.add((*where, "headers", name), message, "use letters, digits and -", at_key=True)


def _check_shell_text(binding: CommandBinding, where: DocumentPath, notes: Notes) -> None:
    """A value must never become part of a text that a shell reads as a program."""
    program = str(binding.argv[0]).replace("\\", "/").rpartition("/")[2].lower()
    program = program.removesuffix(".exe")
    if program not in _SHELLS | _SHELLS_TO_THE_END:
        return
    is_program_text = False
    for at, element in enumerate(binding.argv[1:], start=1):
        texts = (element,) if isinstance(element, str) else (*element.then, *element.else_)
        if is_program_text and any(_names_in(text) for text in texts):
            message = "an input would become part of a program that a shell reads"
            hint = "give it as an environment variable and use that in the text"
            notes.add((*where, "argv", at), message, hint, "shell_text")
        is_switch = any(text.lower() in _SHELL_SWITCHES for text in texts)
        is_program_text = is_switch or (is_program_text and program in _SHELLS_TO_THE_END)


def _names_in(text: str) -> bool:
    return any(match["name"] for match in _TOKEN.finditer(text))


def _check_placeholders(text: str, pattern: PatternSpec, where: DocumentPath, notes: Notes) -> None:
    for match in _TOKEN.finditer(text):
        if match["stray"]:
            notes.add(
                where,
                f"a single '{match['stray']}' in {text!r} (character {match.start() + 1})",
                "write {{ and }} for braces, {name} for the value of an input",
                "placeholder",
            )
            return  # what follows a stray brace cannot be told apart
        name = match["name"]
        if name is not None and name not in pattern.inputs:
            message = f"the placeholder {{{name}}} is not an input of the pattern"
            hint = name_hint(name, pattern.inputs, "inputs") or f"declare the input '{name}'"
            notes.add(where, message, f"{hint}; write {{{{{name}}}}} for the text", "placeholder")


def _check_conditions(
    binding: CommandBinding, pattern: PatternSpec, where: DocumentPath, notes: Notes
) -> None:
    for at, element in enumerate(binding.argv):
        if isinstance(element, IfArgument) and element.if_ not in pattern.inputs:
            message = f"'if: {element.if_}' does not name an input of the pattern"
            hint = name_hint(element.if_, pattern.inputs, "inputs")
            hint = hint or f"declare the input '{element.if_}'"
            notes.add((*where, "argv", at, "if"), message, hint, "placeholder")


def _check_command(binding: CommandBinding, where: DocumentPath, notes: Notes) -> None:
    first = binding.argv[0]
    if not isinstance(first, str) or not first.strip() or "{" in first:
        notes.add(
            (*where, "argv", 0),
            "the program is not a fixed name",
            "write the name of the program as first argument; only its arguments may vary",
            "command",
        )
    for name in binding.env:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            message = f"'{name}' cannot be the name of an environment variable"
            notes.add((*where, "env", name), message, "use letters, digits and _", at_key=True)
    codes = binding.exit_codes
    seen: dict[int, str] = {}
    for key in ("success", "no_result", "failed", "transient"):
        for code in cast("Sequence[int]", getattr(codes, key)):
            if seen.setdefault(code, key) != key:
                message = f"the exit code {code} means both {seen[code]} and {key}"
                notes.add((*where, "exit_codes", key), message, "keep it in one list", "duplicate")


def _check_function(name: str, where: DocumentPath, notes: Notes) -> None:
    known = sorted(entry.name for entry in entry_points(group=FUNCTION_GROUP))
    if name not in known:
        message = f"no Python function '{name}' is registered"
        hint = name_hint(name, known) or f"register it as entry point in the group {FUNCTION_GROUP}"
        notes.add(where, message, hint, "function")
