"""Who may call an operation: security schemes -> headers and query with references to secrets.

A secret never stands in a draft, only `${secret:name}`, which is resolved when the call is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from tool_catalog_pipelines.catalog.formats.foreign import (
    Trail,
    elements,
    identifier,
    mapping,
    text_of,
)
from tool_catalog_pipelines.catalog.formats.schema_values import References, UnreadableError
from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.reader import Document


@dataclass(frozen=True, slots=True)
class Access:
    """What a call needs so that it is let in."""

    is_required: bool = False
    is_supported: bool = True
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    described: Sequence[str] = ()
    scopes: Sequence[str] = ()


def access_of(document: Document, operation: Mapping[str, Any], trail: Trail) -> Access:
    """The first way in that can be kept, of those that the operation or the document allows."""
    written: JsonValue = operation.get("security", document.value.get("security"))
    ways = [mapping(way) for way in elements(written)]
    if not ways or any(not way for way in ways):
        if ways:
            trail.note("requires_auth", "optional", "false", "the service answers without it too")
        return Access()
    schemes = mapping(mapping(document.value.get("components")).get("securitySchemes"))
    service = text_of(mapping(document.value.get("info")).get("title"))[:40]
    found = [_way(way, schemes, References(document.value), service) for way in ways[:20]]
    chosen = next((access for access in found if access.is_supported), found[0])
    if len(ways) > 1:
        names = " or ".join(" + ".join(way) for way in ways[:20])
        became = " + ".join(chosen.described)
        trail.note("requires_auth", names, became, "one way to prove who calls is kept")
    if not chosen.is_supported:
        names = " + ".join(chosen.described)
        trail.note("binding", names, "left out", "this way to prove who calls cannot be kept")
    for text in (*chosen.headers.values(), *chosen.query.values()):
        if text.startswith("Basic "):
            why = "the secret is user:password in base64"
            trail.note("binding.headers.Authorization", "http basic", text, why)
    return chosen


def _way(
    way: Mapping[str, Any], schemes: Mapping[str, Any], references: References, service: str
) -> Access:
    """All schemes of one way together.

    The name of the service is part of the secret's name, because every second service calls its
    scheme `api_key`, and none may be sent the secret of another.
    """
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    scopes: list[str] = []
    is_supported = True
    for name, wanted in way.items():
        scopes.extend(one for one in elements(wanted) if isinstance(one, str))
        try:
            scheme = references.follow(schemes.get(name))
        except UnreadableError:
            scheme = mapping(None)
        is_supported = (
            _add(scheme, f"${{secret:{identifier(f'{service} {name}')}}}", headers, query)
            and is_supported
        )
    return Access(True, is_supported, headers, query, [str(name) for name in way], scopes)


def _add(
    scheme: Mapping[str, Any], secret: str, headers: dict[str, str], query: dict[str, str]
) -> bool:
    """Put a scheme's secret where it belongs; False for a scheme that is no header or query."""
    kind, name = scheme.get("type"), scheme.get("name")
    if kind in ("oauth2", "openIdConnect"):
        headers["Authorization"] = f"Bearer {secret}"
    elif kind == "http" and str(scheme.get("scheme")).lower() in ("bearer", "basic"):
        headers["Authorization"] = f"{str(scheme['scheme']).capitalize()} {secret}"
    elif kind == "apiKey" and is_header_name(name):
        plain = cast("str", name)
        if scheme.get("in") == "header":
            headers[plain] = secret
        elif scheme.get("in") == "query":
            query[plain] = secret
        elif scheme.get("in") == "cookie":
            headers["Cookie"] = f"{plain}={secret}"
        else:
            return False
    else:
        return False
    return True


def is_header_name(name: JsonValue) -> bool:
    """Can a name stand in a request as it is?"""
    return (
        isinstance(name, str)
        and 0 < len(name) <= 200
        and name.isascii()
        and all(c.isalnum() or c in "!#$%&'*+-.^_`|~" for c in name)
    )
