"""The short legacy shapes: a wrapper, a flat file, a registry entry, and an API description.

They describe one capability at most, or none; what is missing gets the neutral value and a note.
Does not belong here: the full files (legacy_full.py).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from tool_catalog_pipelines.catalog.formats import legacy_parts as parts
from tool_catalog_pipelines.catalog.formats.draft import Converted, Draft
from tool_catalog_pipelines.catalog.formats.foreign import (
    NOT_SAID,
    Trail,
    description_of,
    elements,
    identifier,
    mapping,
    named,
    text_of,
    tool_names,
    version_of,
    without_secrets,
)
from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.spec.reader import Document, DocumentPath

_SHELL = frozenset("|&;<>()$`\\\"'*?[]#~=%{}!\n\t")
"""Characters with which a command line is more than a list of words."""


class LegacyWrapperFormat:
    """`tool:` with one capability, one pattern and a list of inputs."""

    @property
    def name(self) -> str:
        """Shown in reports."""
        return "legacy-wrapper"

    def recognises(self, document: Document) -> bool:
        """Whether everything stands under `tool`."""
        return isinstance(document.value.get("tool"), dict)

    def convert(self, document: Document) -> Converted:
        """One draft, or a problem for a tool without a name."""
        raw = mapping(document.value["tool"])
        trail = Trail(document)
        capability = mapping(raw.get("capability"))
        pattern = mapping(raw.get("pattern"))
        key = identifier(text_of(capability.get("name")) or "use")
        way = identifier(text_of(pattern.get("name")) or "run")
        field = f"capabilities.{key}.patterns.{way}"
        policy, more = parts.policy_of(
            mapping(raw.get("policy")), trail, ("tool", "policy"), f"{field}.policy"
        )
        required, optional = parts.inputs_of(raw, ("inputs",), trail, ("tool",), field)
        body = {
            "description": description_of(
                pattern.get("description"), "Uses the tool", f"{field}.description", trail
            ),
            "effects": parts.effects_of(policy, False, trail, ("tool",), field),
            "policy": policy,
            "required_inputs": required,
            "optional_inputs": optional,
        }
        _note_unknown_estimates(trail, field)
        text = text_of(capability.get("description")) or key
        capabilities = {key: {"description": text, "patterns": {way: body}}}
        known = ("name", "version", "description", "platform", "category", "capability")
        imported = parts.rest(raw, *known, "pattern", "inputs", "policy") | more
        return _converted(document, raw, ("tool",), trail, capabilities, imported)


class LegacyFlatFormat:
    """Name, description and tags only; what it can do is not said."""

    @property
    def name(self) -> str:
        """Shown in reports."""
        return "legacy-flat"

    def recognises(self, document: Document) -> bool:
        """Whether there is a named tool with platform and category and no capability."""
        value = document.value
        has = all(isinstance(value.get(k), str) for k in ("name", "platform", "category"))
        return has and "capabilities" not in value and "meta" not in value

    def convert(self, document: Document) -> Converted:
        """One draft with one capability, which only names the tool."""
        raw = document.value
        trail = Trail(document)
        metadata = mapping(raw.get("metadata"))
        field = "capabilities.use.patterns.run"
        requires_admin = metadata.get("requires_admin") in (True, "true")
        why = "the file does not say what the tool can do"
        trail.note("capabilities", NOT_SAID, "use/run", why)
        _note_unknown_estimates(trail, field)
        policy = {"required_permissions": ["admin"]} if requires_admin else {}
        body = {
            "description": text_of(raw.get("description")) or "Uses the tool",
            "effects": parts.effects_of(policy, requires_admin, trail, (), field),
            "policy": policy,
        }
        capabilities = {"use": {"description": "Using the tool", "patterns": {"run": body}}}
        known = ("name", "version", "description", "platform", "category", "tags", "metadata")
        imported = parts.rest(raw, *known) | dict(metadata)
        return _converted(document, raw, (), trail, capabilities, imported)


class LegacyRegistryFormat:
    """An entry of the old registry: a key, platforms, tags, and a command line in `meta`."""

    @property
    def name(self) -> str:
        """Shown in reports."""
        return "legacy-registry"

    def recognises(self, document: Document) -> bool:
        """Whether there is a dotted key with a `short_desc`."""
        return isinstance(document.value.get("key"), str) and "short_desc" in document.value

    def convert(self, document: Document) -> Converted:
        """One draft; executable only if the command line is a plain list of words."""
        raw = document.value
        trail = Trail(document)
        platform, _, name = text_of(raw["key"]).partition(".")
        meta = mapping(raw.get("meta"))
        field = "capabilities.use.patterns.run"
        requires_admin = meta.get("requires_admin") in (True, "true")
        body: dict[str, Any] = {
            "description": text_of(raw["short_desc"]) or "Uses the tool",
            "effects": parts.effects_of({}, True, trail, ("meta",), field),
        }
        _note_unknown_estimates(trail, field)
        imported = parts.rest(raw, "key", "name", "short_desc", "platform", "tags")
        binding = _binding(meta.get("cmd"))
        if binding is not None:
            body["binding"] = binding
        else:
            why = "a line for a shell is not executed; write an argv list"
            trail.note(f"{field}.binding", NOT_SAID, "not executable", why, ("meta", "cmd"))
        if requires_admin:
            body["policy"] = {"required_permissions": ["admin"]}
        tool = {
            "name": name or platform,
            "platform": platform,
            "description": raw["short_desc"],
            "tags": raw.get("tags"),
        }
        capabilities = {"use": {"description": "Using the tool", "patterns": {"run": body}}}
        imported["title"] = raw.get("name")
        return _converted(document, tool, (), trail, capabilities, imported)


class LegacyApiFormat:
    """A device interface: everything about the tool under `metadata`, capabilities as a list."""

    @property
    def name(self) -> str:
        """Shown in reports."""
        return "legacy-api"

    def recognises(self, document: Document) -> bool:
        """Whether the name stands in the metadata, beside a list of capabilities."""
        value = document.value
        has_list = isinstance(value.get("capabilities"), list)
        return has_list and "tool_name" not in value and "name" in mapping(value.get("metadata"))

    def convert(self, document: Document) -> Converted:
        """One draft with one pattern per capability, none of them executable."""
        raw = document.value
        trail = Trail(document)
        metadata = mapping(raw["metadata"])
        capabilities: dict[str, Any] = {}
        imported: dict[str, Any] = parts.rest(raw, "metadata", "capabilities")
        for at, element in enumerate(elements(raw["capabilities"])):
            given = mapping(element)
            path: DocumentPath = ("capabilities", at)
            key = identifier(text_of(given.get("name")))
            field = f"capabilities.{key}.patterns.call"
            required, optional = parts.inputs_of(given, ("parameters",), trail, path, field)
            text = description_of(given.get("description"), key, f"{field}.description", trail)
            body = {
                "description": text,
                "effects": parts.effects_of({}, True, trail, path, field),
                "required_inputs": required,
                "optional_inputs": optional,
            }
            _note_unknown_estimates(trail, field)
            capabilities[key] = {"description": text, "patterns": {"call": body}}
            more = parts.rest(given, "name", "description", "parameters")
            imported.setdefault("patterns", {})[f"{key}/call"] = more
        known = ("name", "version", "description", "category", "tags")
        tool = {**metadata, "platform": metadata.get("platform", "network")}
        imported["metadata"] = parts.rest(metadata, *known)
        return _converted(document, tool, ("metadata",), trail, capabilities, imported)


def _converted(
    document: Document,
    raw: Mapping[str, Any],
    path: DocumentPath,
    trail: Trail,
    capabilities: Mapping[str, Any],
    imported: Mapping[str, Any],
) -> Converted:
    """The draft around the capabilities, or a problem when there is no name."""
    where = document.position((*path, "name"))
    name = named(text_of(raw.get("name")), tool_names(), trail, (*path, "name"))
    if name is None or not capabilities:
        return Converted((), (Problem("the tool has no usable name or content", where, "name it"),))
    metadata: dict[str, Any] = {"imported": without_secrets(dict(imported))}
    if raw.get("tags") is not None:
        metadata["tags"] = parts.tags_of(raw["tags"], trail, (*path, "tags"))
    tool = {
        "tool_name": name,
        "platform": parts.platform_of(raw.get("platform"), trail, (*path, "platform")),
        "version": version_of(raw.get("version"), trail, (*path, "version")),
        "category": parts.category_of(raw.get("category"), trail, (*path, "category")),
        "description": description_of(
            raw.get("description"), f"The tool {name}", "description", trail, path
        ),
        "capabilities": capabilities,
        "metadata": metadata,
    }
    return Converted((Draft(tool, where, trail.coerced),))


def _note_unknown_estimates(trail: Trail, field: str) -> None:
    trail.note(f"{field}.time_estimate_ms", NOT_SAID, "unknown", "nothing is invented")


def _binding(command: Any) -> dict[str, Any] | None:
    """A command without any character that a shell would act on, else None."""
    if not isinstance(command, str) or not command.strip() or set(command) & _SHELL:
        return None
    return {
        "kind": "command",
        "argv": shlex.split(command),
        "output": {"parser": "lines", "as": "lines"},
    }
