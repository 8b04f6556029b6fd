"""What is wrong with an answer beyond the rules of tool files: the catalogue, secrets, addresses.

Does not belong here: rules of tool files, which every answer is checked by anyway (spec/).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import cast

from tool_catalog_pipelines.catalog.drafting.question import Situation
from tool_catalog_pipelines.catalog.versioning import order_key
from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.notes import name_hint

Check = Callable[[JsonValue, Situation], Problem | None]

_SECRET_NAME = re.compile(r"auth|token|secret|passw|api[-_]?key|cookie|credential", re.IGNORECASE)
_OPTION = re.compile(r"--?(?P<name>[A-Za-z][\w-]*)=(?P<value>.+)", re.DOTALL)
_PARAMETER = re.compile(r"[?&](?P<name>[^=&#]+)=(?P<value>[^&#]+)")
_FILLED_IN = re.compile(r"\$\{secret:|\{[a-z]")


def existing_version(now: Situation) -> str | None:
    """The latest version of the tool that has this platform and name already."""
    return now.known.versions.get((now.text("platform"), now.text("tool_name").lower()))


def check_version(value: JsonValue, now: Situation) -> Problem | None:
    """A new version of a tool that exists comes after its latest one."""
    known = existing_version(now)
    try:
        is_newer = known is None or order_key(str(value)) > order_key(known)
    except ValueError:
        return Problem(f"{value!r} is no version", hint="write a version like 1.1.0")
    if is_newer:
        return None
    label = f"{now.text('platform')}/{now.text('tool_name')}"
    message = f"{label} is in the catalogue already, as version {known}"
    return Problem(message, hint="give a higher version, or go back and choose another name")


def one_of(choices: tuple[str, ...], what: str) -> Check:
    """A check that an answer is one of some words."""

    def check(value: JsonValue, now: Situation) -> Problem | None:
        del now
        if value in choices:
            return None
        return Problem(f"there is no {what} {value!r}", hint=name_hint(str(value), choices))

    return check


def check_function(value: JsonValue, now: Situation) -> Problem | None:
    """Only registered functions can be called."""
    if value in now.known.functions:
        return None
    hint = name_hint(str(value), now.known.functions, "registered")
    return Problem(f"no Python function {value!r} is registered", hint=hint)


def check_no_secret(value: JsonValue, now: Situation) -> Problem | None:
    """A value that must stay secret is named, never written."""
    del now
    for name, text in _named_texts(value):
        if _SECRET_NAME.search(name) and not _FILLED_IN.search(text):
            message = f"the value of '{name}' looks like a secret, which no tool file may hold"
            return Problem(message, hint="write ${secret:NAME}, and keep the value under that name")
    return None


def check_address(value: JsonValue, now: Situation) -> Problem | None:
    """A link leads to the web."""
    del now
    if re.fullmatch(r"https?://[^\s/]+\S*", str(value)):
        return None
    return Problem(f"{value!r} is no address of a page", hint="begin with https://")


def check_use_cases(value: JsonValue, now: Situation) -> Problem | None:
    """At least one, and none of them empty."""
    del now
    texts = cast("list[JsonValue]", value)
    if texts and all(isinstance(text, str) and text.strip() for text in texts):
        return None
    return Problem("no use case is named", hint="say when somebody wants this; several with ;")


def check_outputs(value: JsonValue, now: Situation) -> Problem | None:
    """A function gives at least one field."""
    del now
    return None if value else Problem("no output is named", hint="write name=type, like rows=array")


def check_text(value: JsonValue, now: Situation) -> Problem | None:
    """Something can be read there."""
    del now
    return None if str(value).strip() else Problem("the text is empty", hint="write a sentence")


def check_tags(value: JsonValue, now: Situation) -> Problem | None:
    """Tags are texts."""
    del now
    if all(isinstance(tag, str) and tag.strip() for tag in cast("list[JsonValue]", value)):
        return None
    return Problem("a tag is no text", hint="write words between commas")


def _named_texts(value: JsonValue) -> Iterator[tuple[str, str]]:
    """Texts with the names under which they are given: headers, parameters, options."""
    if isinstance(value, Mapping):
        for name, text in cast("Mapping[str, JsonValue]", value).items():
            if isinstance(text, str):
                yield str(name), text
            else:
                yield from _named_texts(text)
    elif isinstance(value, list):
        for element in cast("list[JsonValue]", value):
            yield from _named_texts(element)
    elif isinstance(value, str):
        for match in (_OPTION.fullmatch(value), *_PARAMETER.finditer(value)):
            if match is not None:
                yield match["name"], match["value"]
