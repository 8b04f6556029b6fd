"""Http binding -> request: every value in its place, quoted for where it stands.

Does not belong here: sending (http_call.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlencode, urlsplit

from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.secrets import REFERENCE, UsedSecrets
from tool_catalog_pipelines.execution.texts import (
    TOKEN,
    as_text,
    filled_text,
    only_placeholder,
)
from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.binding import HttpBinding

_USER_AGENT = "tool-catalog-pipelines"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    `secret_headers` are not sent to another host after a redirect. `shown` is the request for
    people: without its query, which may hold what nobody should see, and without secrets.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    secret_headers: frozenset[str]
    body: bytes | None
    max_bytes: int
    timeout_s: float
    shown: str


def render_request(
    binding: HttpBinding, inputs: Mapping[str, Any], secrets: UsedSecrets, timeout_s: float
) -> Request:
    """The request of a binding.

    Raises:
        AttemptError: an address that cannot be called, a header of two lines, a missing secret.
    """
    headers = {"User-Agent": _USER_AGENT, "Accept": "*/*"}
    headers |= dict(_given(binding.headers, inputs, secrets))
    body = None
    if binding.body is not None:
        headers.setdefault("Content-Type", "application/json")
        body = json.dumps(_body(binding.body, inputs, secrets), ensure_ascii=False).encode()
    url = _url(binding, inputs, secrets)
    return Request(
        method=binding.method,
        url=url,
        headers=_checked(headers),
        secret_headers=frozenset(
            n for n, text in binding.headers.items() if REFERENCE.search(text)
        ),
        body=body,
        max_bytes=binding.max_output_bytes,
        timeout_s=timeout_s,
        shown=secrets.hidden(f"{binding.method} {url.partition('?')[0]}"),
    )


def _checked(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not (value.isprintable() and value.isascii()):
            message = f"the value of the header {name} has more than one line or is not ASCII"
            raise AttemptError("InputError", message)
    return headers


def _url(binding: HttpBinding, inputs: Mapping[str, Any], secrets: UsedSecrets) -> str:
    """The address. An input at its beginning is an address itself; others are parts of a path."""
    beginning = TOKEN.match(binding.url)
    base, rest = "", binding.url
    if beginning and beginning["name"]:
        base, rest = as_text(inputs.get(beginning["name"])), binding.url[beginning.end() :]
        base = base.rstrip("/") if rest.startswith("/") else base
    url = base + filled_text(rest, inputs, secrets, lambda value: quote(value, safe=""))
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise AttemptError("InputError", "the address does not begin with http:// or https://")
    if any(character.isspace() or not character.isprintable() for character in url):
        raise AttemptError("InputError", "the address holds spaces or control characters")
    query = urlencode(_query(binding.query, inputs, secrets))
    if not query:
        return url
    return f"{url}{'&' if urlsplit(url).query else '?'}{query}"


def _query(
    query: Mapping[str, str], inputs: Mapping[str, Any], secrets: UsedSecrets
) -> list[tuple[str, str]]:
    """Parameters; one that is an array is given once per element."""
    pairs: list[tuple[str, str]] = []
    for name, text in query.items():
        value = inputs.get(only_placeholder(text) or "")
        if isinstance(value, list):
            pairs += [(name, as_text(element)) for element in cast("list[Any]", value)]
        else:
            pairs += _given({name: text}, inputs, secrets)
    return pairs


def _given(
    texts: Mapping[str, str], inputs: Mapping[str, Any], secrets: UsedSecrets
) -> Iterator[tuple[str, str]]:
    """Texts with their values; one that is nothing but an input that is not given is left out."""
    for name, text in texts.items():
        alone = only_placeholder(text)
        if alone is None or inputs.get(alone) is not None:
            yield name, filled_text(text, inputs, secrets)


def _body(value: JsonValue, inputs: Mapping[str, Any], secrets: UsedSecrets) -> Any:
    """The body; a text that is one placeholder becomes the input's value with its type."""
    if isinstance(value, str):
        alone = only_placeholder(value)
        return inputs.get(alone) if alone else filled_text(value, inputs, secrets)
    if isinstance(value, list):
        elements = cast("list[JsonValue]", value)
        return [_body(element, inputs, secrets) for element in elements]
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, JsonValue]", value)
        return {
            key: _body(element, inputs, secrets)
            for key, element in fields.items()
            if not _is_left_out(element, inputs)
        }
    return value


def _is_left_out(value: JsonValue, inputs: Mapping[str, Any]) -> bool:
    alone = only_placeholder(value) if isinstance(value, str) else None
    return alone is not None and inputs.get(alone) is None
