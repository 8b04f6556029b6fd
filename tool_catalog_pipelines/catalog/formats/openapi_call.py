"""The values of one call: parameters, body and address -> inputs, and where each one goes.

Does not belong here: who may call (openapi_security.py), the answer (openapi_operation.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

from tool_catalog_pipelines.catalog.formats.foreign import Trail, elements, mapping, printable
from tool_catalog_pipelines.catalog.formats.openapi_security import is_header_name
from tool_catalog_pipelines.catalog.formats.schema_inputs import (
    MAX_INPUTS,
    InputMaker,
    Property,
    properties_of,
)
from tool_catalog_pipelines.catalog.formats.schema_values import (
    References,
    UnreadableError,
    type_names,
)
from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.reader import DocumentPath

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NOT_PARAMETERS = frozenset({"accept", "content-type", "authorization"})
_LONGEST_URL = 2000
_USUAL_STYLE = {"query": "form", "path": "simple", "header": "simple", "cookie": "form"}


@dataclass(slots=True)
class Call:
    """Inputs of an operation, and where they go; texts hold `{input}`."""

    url: str = ""
    query: dict[str, str] = field(default_factory=dict[str, str])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: JsonValue = None
    required: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    optional: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    limitations: list[str] = field(default_factory=list[str])
    is_executable: bool = True


def described_call(
    item: Mapping[str, Any],
    method: str,
    path: str,
    where: DocumentPath,
    references: References,
    trail: Trail,
) -> Call:
    """Everything that a call of an operation needs.

    Raises:
        UnreadableError: the path or a parameter is of no use.
    """
    return _Reading(mapping(item[method]), where, references, trail).call(item, path)


class _Reading:
    """The state of reading one operation."""

    def __init__(
        self,
        operation: Mapping[str, Any],
        where: DocumentPath,
        references: References,
        trail: Trail,
    ) -> None:
        self._operation = operation
        self._where = where
        self._references = references
        self._trail = trail
        self._make = InputMaker(references, trail).make
        self._call = Call()

    def call(self, item: Mapping[str, Any], path: str) -> Call:
        in_path = self._parameters(item)
        prefix = self._server(item)
        self._call.url = prefix + self._filled(path, in_path)
        if len(self._call.url) > _LONGEST_URL:
            raise UnreadableError(f"its address is longer than {_LONGEST_URL} characters")
        self._body()
        count = len(self._call.required) + len(self._call.optional)
        if count > MAX_INPUTS:
            raise UnreadableError(f"{count} inputs, more than the {MAX_INPUTS} allowed")
        return self._call

    def _take(self, wanted: Property, is_required: bool) -> str:
        """Declare an input; its placeholder."""
        made = self._make(wanted)
        (self._call.required if is_required else self._call.optional).append(made)
        return f"{{{made['name']}}}"

    def _parameters(self, item: Mapping[str, Any]) -> dict[str, str]:
        """Declare every parameter; the placeholders of those in the path."""
        in_path: dict[str, str] = {}
        cookies: list[str] = []
        for (place, name), (parameter, where) in self._declared(item).items():
            if place == "header" and name.lower() in _NOT_PARAMETERS:
                continue
            if place in ("header", "cookie") and not is_header_name(name):
                raise UnreadableError(
                    f"'{printable(name)}' cannot be the name of a header or cookie"
                )
            is_required = parameter.get("required") is True or place == "path"
            if place == "cookie" and not is_required:
                self._trail.note(f"inputs.{name}", "a cookie", "left out", "it is optional", where)
                continue
            placeholder = self._take(self._property(name, parameter, place, where), is_required)
            if place == "path":
                in_path[name] = placeholder
            elif place == "cookie":
                cookies.append(f"{name}={placeholder}")
            else:
                (self._call.query if place == "query" else self._call.headers)[name] = placeholder
        if cookies:
            self._call.headers["Cookie"] = "; ".join(cookies)
        return in_path

    def _declared(
        self, item: Mapping[str, Any]
    ) -> dict[tuple[str, str], tuple[Mapping[str, Any], DocumentPath]]:
        """Parameters of the path and of the operation, which win."""
        found: dict[tuple[str, str], tuple[Mapping[str, Any], DocumentPath]] = {}
        lists = ((item, self._where[:-1]), (self._operation, self._where))
        for owner, where in lists:
            for at, written in enumerate(elements(owner.get("parameters"))):
                parameter = self._references.follow(written)
                name, place = parameter.get("name"), parameter.get("in")
                known = isinstance(place, str) and place in _USUAL_STYLE
                if not isinstance(name, str) or not name or not known:
                    raise UnreadableError(
                        f"parameter {at + 1} has no 'name', or no 'in' that is known"
                    )
                if not name.isprintable() or len(name) > 200:
                    raise UnreadableError(f"'{printable(name)}' cannot be the name of a parameter")
                found[cast("str", place), name] = (parameter, (*where, "parameters", at))
        return found

    def _property(
        self, name: str, parameter: Mapping[str, Any], place: str, where: DocumentPath
    ) -> Property:
        schema = parameter.get("schema")
        content = mapping(parameter.get("content"))
        if schema is None and content:
            media_type, media = next(iter(content.items()))
            schema = mapping(media).get("schema")
            self._limit(name, f"is written as {printable(media_type)} in the {place}")
        self._style(name, parameter, place, self._references.flat(schema))
        examples = [
            mapping(one).get("value") for one in mapping(parameter.get("examples")).values()
        ]
        own = [one for one in (parameter.get("example"), *examples) if one is not None]
        if own:
            schema = {**self._references.flat(schema), "examples": own}
        return Property(name, schema, where, parameter.get("description"), "string")

    def _style(
        self, name: str, parameter: Mapping[str, Any], place: str, flat: Mapping[str, Any]
    ) -> None:
        """How lists and mappings are written is not said by a binding."""
        style = parameter.get("style", _USUAL_STYLE[place])
        kinds = type_names(flat)
        if style == _USUAL_STYLE[place] and not {"array", "object"} & set(kinds):
            return
        explode = parameter.get("explode", style == "form")
        self._limit(name, f"style {printable(str(style))}, explode {str(explode is True).lower()}")

    def _limit(self, name: str, what: str) -> None:
        text = f"the service expects '{printable(name)}' in this form: {what}"
        self._call.limitations.append(text)
        self._trail.note(f"inputs.{name}", what, "a limitation", "a binding does not say it")

    def _filled(self, path: str, in_path: Mapping[str, str]) -> str:
        """The path with our placeholders."""
        if not path.startswith("/") or not path.isprintable() or " " in path:
            raise UnreadableError("the path does not begin with /, or holds blanks or worse")
        if {"..", "."} & set(path.partition("?")[0].split("/")):
            raise UnreadableError("the path leads upwards with '.' or '..'")
        known = dict(in_path)
        parts: list[str] = []
        for at, part in enumerate(_PLACEHOLDER.split(path.partition("#")[0])):
            if at % 2 == 0:
                parts.append(part.replace("{", "{{").replace("}", "}}"))
                continue
            if part not in known:
                known[part] = self._take(
                    Property(part, {"type": "string"}, self._where[:-1], None, "string"), True
                )
                why = "it stands in the path but is not declared"
                self._trail.note(
                    f"inputs.{part}", "not declared", "required text", why, self._where
                )
            parts.append(known[part])
        return "".join(parts)

    def _server(self, item: Mapping[str, Any]) -> str:
        """The beginning of the address, without a slash at its end."""
        lists = (
            self._operation.get("servers"),
            item.get("servers"),
            self._references.root.get("servers"),
        )
        servers = next((elements(one) for one in lists if elements(one)), ())
        server = mapping(servers[0] if servers else None)
        url = str(server.get("url", "/"))
        if len(servers) > 1:
            self._trail.note(
                "binding.url", f"{len(servers)} servers", printable(url), "the first one"
            )
        variables = mapping(server.get("variables"))
        url = _PLACEHOLDER.sub(lambda match: _default(variables, match), url)
        plain = self._absolute(url.rstrip("/"))
        if plain is not None:
            return plain
        schema = {"type": "string", "pattern": "^https?://"}
        said = "Address of the service, like https://example.com"
        placeholder = self._take(Property("base_url", schema, self._where, said, "string"), True)
        self._trail.note("binding.url", printable(url), placeholder, "the document names no host")
        rest = url.rstrip("/") if url.startswith("/") and url.isprintable() else ""
        return placeholder + rest.replace("{", "{{").replace("}", "}}")

    def _absolute(self, url: str) -> str | None:
        """An http address without user and password, or None."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            return None
        if parts.scheme not in ("http", "https") or not host or not url.isprintable():
            return None
        if " " in url or "{" in url or "}" in url or parts.query or parts.fragment:
            return None
        if parts.username is not None or parts.password is not None:
            self._trail.note(
                "binding.url", "***@", "left out", "a user does not belong in an address"
            )
            netloc = f"{host}:{port}" if port else host
            return urlunsplit((parts.scheme, netloc, parts.path, "", ""))
        return url

    def _body(self) -> None:
        where = (*self._where, "requestBody")
        body = self._references.follow(self._operation.get("requestBody"))
        content = mapping(body.get("content"))
        if not content:
            return
        json_types = [one for one in content if is_json(one)]
        media_type = json_types[0] if json_types else next(iter(content))
        schema = mapping(content[media_type]).get("schema")
        flat = self._references.flat(schema)
        if not json_types:
            if _is_empty(flat) and body.get("required") is not True:
                return
            self._call.is_executable = False
            self._call.limitations.append(
                f"the body is {printable(media_type)}, which cannot be sent"
            )
            why = "only JSON can be sent, so that the tool is not executable"
            self._trail.note("binding", printable(media_type), "left out", why, where)
        self._call.body = self._body_inputs(flat, body, where) if schema is not None else None

    def _body_inputs(
        self, flat: Mapping[str, Any], body: Mapping[str, Any], where: DocumentPath
    ) -> JsonValue:
        """One input per property of an object; one for the whole of anything else."""
        is_required = body.get("required") is True
        properties, required = properties_of(flat)
        if type_names(flat) in (["object"], []) and properties:
            if flat.get("oneOf") or flat.get("anyOf"):
                why = "one of several shapes cannot be said; its common properties are inputs"
                self._trail.note("inputs", "oneOf / anyOf", "common properties", why, where)
            return {
                name: self._take(
                    Property(name, schema, where, None), is_required and name in required
                )
                for name, schema in self._writable(properties)
            }
        if _is_empty(flat) and not is_required:
            return None
        said = body.get("description") or "The body of the request"
        return self._take(Property("body", flat, where, said), is_required)

    def _writable(self, properties: Mapping[str, Any]) -> Iterator[tuple[str, JsonValue]]:
        for name, schema in list(properties.items())[: MAX_INPUTS + 1]:
            if self._references.follow(schema).get("readOnly") is not True:
                yield name, schema


def is_json(media_type: str) -> bool:
    """Is a media type JSON, in any of its forms?"""
    plain = media_type.partition(";")[0].strip().lower()
    return plain in ("application/json", "text/json", "*/*") or plain.endswith("+json")


def _is_empty(flat: Mapping[str, Any]) -> bool:
    return (
        not flat.get("properties")
        and type_names(flat) in (["object"], [])
        and not (flat.get("oneOf") or flat.get("anyOf"))
    )


def _default(variables: Mapping[str, Any], match: re.Match[str]) -> str:
    default = mapping(variables.get(match[1])).get("default")
    return str(default) if isinstance(default, str | int | float) else match[0]
