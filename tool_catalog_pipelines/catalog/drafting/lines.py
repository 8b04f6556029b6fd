"""Typed lines <-> values: argument lists, `name=value` pairs, lists, parsers, variables.

What `shown_...` gives is what could be typed for the same value. Nothing here is ever given to a
shell. A ValueError says `what is wrong; what to do`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, cast

from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.values import coerce_value

_HIDDEN = re.compile(
    r"\$\{secret:[A-Za-z0-9][A-Za-z0-9_.-]*\}|\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL
)
_SHELL_MARK = re.compile(r"\|\|?|&&?|;|>>?|<<?|`|\$\(|\$\{?\w+|\*|(?:^|(?<=\s))(?:~(?=/|\s|$)|#)")
_BARE = re.compile(r"(?:[\w@%+=:,./{}\[\]-]|\$\{secret:[A-Za-z0-9][A-Za-z0-9_.-]*\})+", re.ASCII)


def read_argv(line: str) -> JsonValue:
    """An argument list from a line typed as for a shell, without what only a shell does.

    A line that begins with `[` is the list itself, as JSON.
    """
    if line.startswith("["):
        return read_json(line)
    mark = _SHELL_MARK.search(_HIDDEN.sub("_", line))
    if mark is not None:
        raise ValueError(
            f"no shell reads this line, so {mark[0]!r} would do nothing; "
            "put it in quotes if it is meant as text, or call one program only"
        )
    return _split(line)


def shown_argv(value: JsonValue) -> str:
    """An argument list as it would be typed."""
    elements = cast("list[JsonValue]", value)
    if all(isinstance(element, str) for element in elements):
        return shown_words(cast("list[str]", elements))
    return json.dumps(elements, ensure_ascii=False)


def read_pairs(line: str) -> dict[str, str]:
    r"""`name=value 'other=two words'`; `\n` in a value begins a new line."""
    pairs: dict[str, str] = {}
    for word in _split(line):
        name, equals, text = word.partition("=")
        if not name or not equals:
            raise ValueError(f"{word!r} has no value; write name=value, in quotes if it has blanks")
        if name in pairs:
            raise ValueError(f"{name!r} is given twice; keep one of them")
        pairs[name] = _unescaped(text)
    return pairs


def shown_pairs(value: JsonValue) -> str:
    """A mapping as it would be typed."""
    pairs = cast("Mapping[str, JsonValue]", value)
    return shown_words([f"{name}={_escaped(_shown_value(text))}" for name, text in pairs.items()])


def read_list(line: str, separator: str) -> list[str]:
    """Texts between separators, without blanks around them."""
    return [text.strip() for text in line.split(separator) if text.strip()]


def read_json(line: str) -> JsonValue:
    """A value written as JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"this is no JSON: {error}; check quotes and brackets") from None


def read_parser(line: str) -> dict[str, str]:
    """`lines`, `jc df`, `regex PATTERN`."""
    kind, _, rest = line.strip().partition(" ")
    key = {"jc": "name", "regex": "pattern"}.get(kind)
    if rest.strip() and key is None:
        raise ValueError(f"{kind!r} takes nothing after it; jc takes a name, regex a pattern")
    return {"parser": kind, **({key: rest.strip()} if key and rest.strip() else {})}


def shown_parser(value: JsonValue) -> str:
    """A parser as it would be typed."""
    return " ".join(str(text) for text in cast("Mapping[str, JsonValue]", value).values())


def read_variables(line: str) -> dict[str, JsonValue]:
    """`rows=100 count:$.output.rows[*]; size=10 before:$.inputs.size unit:MB`."""
    found: dict[str, JsonValue] = {}
    for part in read_list(line, ";"):
        first, *rest = part.split()
        name, equals, number = first.partition("=")
        if not name or not equals:
            raise ValueError(
                f"{first!r} has no value; write name=NUMBER, then where it is measured"
            )
        if name in found:
            raise ValueError(f"the variable {name!r} is given twice; keep one of them")
        found[name] = {"unit": "count", "default": number_of(number), **_clauses(rest)}
    return found


def shown_variables(value: JsonValue) -> str:
    """Variables as they would be typed."""
    variables = cast("Mapping[str, Mapping[str, Any]]", value)
    return "; ".join(_shown_variable(name, spec) for name, spec in variables.items())


def number_of(text: str) -> JsonValue:
    """A number that was typed."""
    try:
        return coerce_value(text, "number")
    except ValueError:
        raise ValueError(f"{text!r} is no number; write digits") from None


def shown_words(texts: Sequence[str]) -> str:
    """Words as they would be typed, in quotes only where needed."""
    return " ".join(text if _BARE.fullmatch(text) else shlex.quote(text) for text in texts)


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        raise ValueError("a quote is not closed; close it, or write \\' for the mark") from None


def _clauses(words: Sequence[str]) -> dict[str, JsonValue]:
    clauses: dict[str, JsonValue] = {}
    for word in words:
        key, colon, text = word.partition(":")
        if colon and key in ("unit", "before"):
            clauses[key] = text
        elif colon and key == "count":
            clauses["measured"] = {"count": text}
        elif word.startswith("$"):
            clauses["measured"] = word
        else:
            raise ValueError(f"{word!r} is not understood; write count:$.output.NAME[*] or $.path")
    return clauses


def _shown_variable(name: str, spec: Mapping[str, Any]) -> str:
    words = [f"{name}={spec.get('default')}"]
    words += [f"{key}:{spec[key]}" for key in ("unit", "before") if key in spec]
    measured = spec.get("measured")
    if isinstance(measured, Mapping):
        words.append(f"count:{cast('Mapping[str, Any]', measured).get('count')}")
    elif measured is not None:
        words.append(str(measured))
    return " ".join(words)


def _shown_value(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _unescaped(text: str) -> str:
    return re.sub(r"\\(n|\\)", lambda match: "\n" if match[1] == "n" else "\\", text)
