"""One operation of an OpenAPI document -> one draft.

Does not belong here: where values go in the call (openapi_call.py), who may call
(openapi_security.py), the document as a whole (openapi.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tool_catalog_pipelines.catalog.formats.draft import Draft
from tool_catalog_pipelines.catalog.formats.foreign import (
    NOT_SAID,
    Names,
    Trail,
    description_of,
    identifier,
    mapping,
    named,
    printable,
    text_of,
    texts,
    version_of,
)
from tool_catalog_pipelines.catalog.formats.openapi_call import Call, described_call, is_json
from tool_catalog_pipelines.catalog.formats.openapi_security import Access, access_of
from tool_catalog_pipelines.catalog.formats.schema_values import (
    References,
    UnreadableError,
    inlined,
    type_names,
)
from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.spec.reader import Document, DocumentPath

PATTERN = "default"
_READING = ("get", "head", "options")
_REPEATABLE = (*_READING, "put", "delete")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    document: Document
    path: str
    method: str
    item: Mapping[str, Any]
    where: DocumentPath

    @property
    def value(self) -> Mapping[str, Any]:
        """What the document says about it."""
        return mapping(self.item[self.method])

    @property
    def label(self) -> str:
        """For people."""
        return printable(f"{self.method.upper()} {self.path}")

    def problem(self, message: str) -> Problem:
        """Why no tool can be made of it."""
        position = self.document.key_position(self.where)
        return Problem(f"{self.label}: {message}", position, "correct the operation", "operation")


def draft_of(operation: Operation, names: Names, references: References) -> Draft:
    """The tool of one operation.

    Raises:
        UnreadableError: no tool can be made of it.
    """
    document, value, where = operation.document, operation.value, operation.where
    trail = Trail(document)
    access = access_of(document, value, trail)
    call = described_call(
        operation.item, operation.method, operation.path, where, references, trail
    )
    tags = texts(value.get("tags"))
    name = _name(operation, names, trail)
    tool: dict[str, Any] = {
        "tool_name": name,
        "platform": "multi-platform",
        "version": version_of(
            mapping(document.value.get("info")).get("version"), trail, ("info", "version")
        ),
        "category": "network",
        "description": _description(operation, trail),
        "requires_auth": access.is_required,
        "capabilities": {
            identifier(tags[0]) if tags else "call": {
                "description": tags[0][:200] if tags else "Calls of the service",
                "patterns": {PATTERN: _pattern(operation, call, access, references, trail)},
            }
        },
        "metadata": _metadata(operation, tags, access),
    }
    trail.note(
        "platform, category", NOT_SAID, "multi-platform, network", "a service called by HTTP"
    )
    if value.get("deprecated") is True:
        tool["status"] = "deprecated"
    if operation.method not in _REPEATABLE:
        tool["retries"] = 0
        trail.note("retries", NOT_SAID, "0", "a repeated call may act twice")
    return Draft(tool, document.key_position(where), trail.coerced, {(): where})


def _name(operation: Operation, names: Names, trail: Trail) -> str:
    written = operation.value.get("operationId")
    where = operation.where
    if isinstance(written, str):
        name = named(written, names, trail, (*where, "operationId"))
        if name is not None:
            return name
    made = f"{operation.method}-{operation.path.replace('{', '').replace('}', '')}"
    name = named(made, names, Trail(operation.document), where)
    if name is None:
        raise UnreadableError("no name can be made for it; give it an operationId")
    trail.note("tool_name", NOT_SAID, name, "no operationId that can be used", where)
    return name


def _description(operation: Operation, trail: Trail) -> str:
    value = operation.value
    said = text_of(value.get("summary")) or text_of(value.get("description"))
    said = said or text_of(operation.item.get("summary"))
    return description_of(said, operation.label, "description", trail, operation.where)


def _pattern(
    operation: Operation, call: Call, access: Access, references: References, trail: Trail
) -> dict[str, Any]:
    is_reading = operation.method in _READING
    detail = text_of(operation.value.get("description"))
    pattern: dict[str, Any] = {
        "description": detail[:1997] + "..." if len(detail) > 2000 else detail or operation.label,
        "effects": "read" if is_reading else "system",
        "required_inputs": call.required,
        "optional_inputs": call.optional,
        "limitations": list(call.limitations),
    }
    parser, outputs = _response(operation, references, trail)
    pattern["expected_outputs"] = outputs
    if call.is_executable and access.is_supported:
        pattern["binding"] = {
            "kind": "http",
            "method": operation.method.upper(),
            "url": call.url,
            "query": {**call.query, **access.query},
            "headers": {**call.headers, **access.headers},
            "output": parser,
        }
        if call.body is not None:
            pattern["binding"]["body"] = call.body
    return pattern


def _response(
    operation: Operation, references: References, trail: Trail
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """How the first successful response is read, and what it holds."""
    responses = mapping(operation.value.get("responses"))
    good = sorted(code for code in responses if len(code) == 3 and code.startswith("2"))
    nothing: tuple[dict[str, str], list[dict[str, Any]]] = ({"parser": "none"}, [])
    if operation.method == "head":
        return nothing
    is_text = False
    for code in good or [code for code in ("default",) if code in responses]:
        content = mapping(references.follow(responses[code]).get("content"))
        for media_type, media in content.items():
            if is_json(media_type):
                where = (*operation.where, "responses", code)
                return _json_output(mapping(media).get("schema"), references, trail, where)
        is_text = is_text or bool(content)
    if is_text or not good:
        output = {"name": "result", "type": "string", "description": "The body of the response"}
        return {"parser": "text", "as": "result"}, [output]
    return nothing


def _json_output(
    schema: Any, references: References, trail: Trail, where: DocumentPath
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    parser = {"parser": "json", "as": "result"}
    if schema is None:
        return parser, []
    plain, is_cut = inlined(schema, references)
    if is_cut:
        why = "the schema is larger than is kept; what is missing is not checked"
        trail.note(
            "expected_outputs.result.schema", "the whole schema", "its upper part", why, where
        )
    kinds = type_names(plain)
    if len(kinds) != 1:
        why = "one of several shapes cannot be said"
        trail.note(
            "expected_outputs.result.type", " or ".join(kinds) or NOT_SAID, "object", why, where
        )
    kind = kinds[0] if len(kinds) == 1 else "object"
    return parser, [{"name": "result", "type": kind, "schema": plain}]


def _metadata(operation: Operation, tags: list[str], access: Access) -> dict[str, Any]:
    info = mapping(operation.document.value.get("info"))
    docs = mapping(operation.value.get("externalDocs")).get("url")
    found: dict[str, Any] = {
        "source_format": "openapi",
        "service": text_of(info.get("title"))[:200],
        "service_version": text_of(info.get("version"))[:100],
        "operation": operation.label,
        "operation_id": text_of(operation.value.get("operationId"))[:200],
        "tags": tags[:50],
        "documentation_url": text_of(docs)[:500],
        "security": access.described,
        "scopes": list(access.scopes)[:50],
    }
    return {key: value for key, value in found.items() if value}
