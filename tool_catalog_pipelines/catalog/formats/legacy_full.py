"""The full legacy tool files: capabilities with patterns, as mapping or as list.

They differ from our own grammar in what they lack (variables, effects, bindings), in spelling, and
in keys of their own, which are kept under `metadata.imported`. Does not belong here: the short
shapes (legacy_short.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tool_catalog_pipelines.catalog.formats import legacy_parts as parts
from tool_catalog_pipelines.catalog.formats.draft import Converted, Draft
from tool_catalog_pipelines.catalog.formats.foreign import (
    Trail,
    description_of,
    elements,
    identifier,
    mapping,
    named,
    text_of,
    texts,
    tool_names,
    version_of,
    without_secrets,
)
from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.spec.reader import Document, DocumentPath

_OURS = frozenset({"binding", "variables", "effects"})
_TOOL = (
    "tool_name", "version", "description", "platform", "category", "status", "enabled",
    "defaults", "capabilities", "dependencies", "metadata", "examples",
)  # fmt: skip
_PATTERN = (
    "pattern_name", "description", "typical_use_cases", "time_estimate_ms", "cost_estimate",
    "complexity_score", "scope", "completeness", "limitations", "policy", "preference_match",
    "required_inputs", "optional_inputs", "expected_outputs",
)  # fmt: skip
_DEFAULTS = {
    "accuracy_level": ("real-time", "cached", "estimated"),
    "freshness": ("live", "recent", "historical"),
}
_DEPENDENCIES = (
    "binary", "package", "service", "permission", "filesystem", "platform", "runtime",
)  # fmt: skip
_Found = Iterator[tuple[str, Mapping[str, Any], DocumentPath]]


class LegacyFullFormat:
    """`tool_name` with capabilities and patterns, and nothing that only our grammar has."""

    @property
    def name(self) -> str:
        """Shown in reports."""
        return "legacy-full"

    def recognises(self, document: Document) -> bool:
        """Whether it is a tool file that says where it is executed, or has a list of capabilities.

        A file that could be either is ours.
        """
        value = document.value
        if "tool_name" not in value:
            return False
        capabilities = list(_named(value.get("capabilities"), "capability_name", ()))
        patterns = [
            pattern
            for _, capability, _ in capabilities
            for _, pattern, _ in _named(capability.get("patterns"), "pattern_name", ())
        ]
        is_foreign = "execution_location" in value or isinstance(value.get("capabilities"), list)
        return is_foreign and not any(_OURS & pattern.keys() for pattern in patterns)

    def convert(self, document: Document) -> Converted:
        """One draft, or a problem for a file without a usable name or capability."""
        trail = Trail(document)
        raw = document.value
        where = document.position(("tool_name",))
        name = named(text_of(raw.get("tool_name")), tool_names(), trail, ("tool_name",))
        if name is None:
            return Converted((), (Problem("the tool has no usable name", where, "name it"),))
        imported: dict[str, Any] = parts.rest(raw, *_TOOL)
        tool: dict[str, Any] = {
            "tool_name": name,
            "platform": parts.platform_of(raw.get("platform"), trail, ("platform",)),
            "version": version_of(raw.get("version"), trail, ("version",)),
            "category": parts.category_of(raw.get("category"), trail, ("category",)),
            "description": description_of(
                raw.get("description"), f"The tool {name}", "description", trail
            ),
        }
        tool.update({key: raw[key] for key in ("status", "enabled") if key in raw})
        tool["defaults"] = _defaults(raw, trail, imported)
        tool["capabilities"] = _capabilities(raw, trail, imported)
        if not tool["capabilities"]:
            hint = "give it a capability with a pattern"
            return Converted((), (Problem(f"{name} has no capability", where, hint),))
        tool["dependencies"] = _dependencies(raw, trail)
        _take_examples(tool, raw, trail, imported)
        tool["metadata"] = _metadata(raw, trail, imported)
        return Converted((Draft(tool, where, trail.coerced),))


def _named(raw: Any, key: str, path: DocumentPath) -> _Found:
    """Name, content and place of each element of a mapping, or of a list with names inside."""
    if isinstance(raw, Mapping):
        for name, inner in mapping(raw).items():
            yield name, mapping(inner), (*path, name)
    for at, element in enumerate(elements(raw)):
        inner = mapping(element)
        yield text_of(inner.get(key) or inner.get("name")), inner, (*path, at)


def _defaults(raw: Mapping[str, Any], trail: Trail, imported: dict[str, Any]) -> dict[str, Any]:
    given = mapping(raw.get("defaults"))
    taken: dict[str, Any] = {}
    for key, allowed in _DEFAULTS.items():
        if key not in given:
            continue
        if given[key] in allowed:
            taken[key] = given[key]
        else:
            path = ("defaults", key)
            trail.note(f"defaults.{key}", given[key], allowed[0], "not an allowed word", path)
            imported.setdefault("defaults", {})[key] = given[key]
    if isinstance(given.get("data_source"), str):
        taken["data_source"] = given["data_source"]
    more = parts.rest(given, *_DEFAULTS, "data_source")
    if more:
        imported.setdefault("defaults", {}).update(more)
    return taken


def _capabilities(raw: Mapping[str, Any], trail: Trail, imported: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, capability, path in _named(
        raw.get("capabilities"), "capability_name", ("capabilities",)
    ):
        key = identifier(name)
        patterns: dict[str, Any] = {}
        for pattern_name, pattern, place in _named(
            capability.get("patterns"), "pattern_name", (*path, "patterns")
        ):
            field = f"capabilities.{key}.patterns.{identifier(pattern_name)}"
            patterns[identifier(pattern_name)] = _pattern(pattern, trail, place, field)
            if more := parts.rest(pattern, *_PATTERN):
                imported.setdefault("patterns", {})[f"{key}/{identifier(pattern_name)}"] = more
        if patterns:
            text = description_of(
                capability.get("description"), name, f"capabilities.{key}.description", trail, path
            )
            found[key] = {"description": text, "patterns": patterns}
    return found


def _pattern(
    raw: Mapping[str, Any], trail: Trail, path: DocumentPath, field: str
) -> dict[str, Any]:
    policy, _ = parts.policy_of(
        mapping(raw.get("policy")), trail, (*path, "policy"), f"{field}.policy"
    )
    required, optional = parts.inputs_of(
        raw, ("required_inputs", "optional_inputs"), trail, path, field
    )
    pattern: dict[str, Any] = {
        "description": description_of(
            raw.get("description"), "Uses the tool", f"{field}.description", trail, path
        ),
        "typical_use_cases": texts(raw.get("typical_use_cases")),
        **parts.estimates_of(raw, trail, path, field),
        "scope": parts.scope_of(raw.get("scope"), trail, f"{field}.scope", (*path, "scope")),
        "completeness": parts.completeness_of(
            raw.get("completeness"), trail, f"{field}.completeness", (*path, "completeness")
        ),
        "effects": parts.effects_of(policy, False, trail, path, field),
        "limitations": texts(raw.get("limitations")),
        "policy": policy,
        "preference_match": parts.preferences_of(raw.get("preference_match")),
        "required_inputs": required,
        "optional_inputs": optional,
        "expected_outputs": parts.outputs_of(
            raw.get("expected_outputs"), trail, (*path, "expected_outputs"), f"{field}.outputs"
        ),
    }
    score = raw.get("complexity_score")
    if isinstance(score, int | float) and 0 <= score <= 1:
        pattern["complexity_score"] = score
    return pattern


def _dependencies(raw: Mapping[str, Any], trail: Trail) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for at, element in enumerate(elements(raw.get("dependencies"))):
        written = mapping(element)
        path: DocumentPath = ("dependencies", at)
        kind = parts.choice(
            written.get("type"), _DEPENDENCIES, {}, "package", (trail, f"dependencies.{at}", path)
        )
        dependency: dict[str, Any] = {"name": text_of(written.get("name")), "type": kind}
        dependency["required"] = written.get("required", True) in (True, "true")
        if isinstance(written.get("version"), str):
            dependency["version"] = written["version"]
        if dependency["name"]:
            found.append(dependency)
    return found


def _take_examples(
    tool: dict[str, Any], raw: Mapping[str, Any], trail: Trail, imported: dict[str, Any]
) -> None:
    """Examples of the whole tool go to its only pattern, or are kept beside it."""
    given = [mapping(example) for example in elements(raw.get("examples"))]
    if not given:
        return
    masked = without_secrets([dict(example) for example in given])
    if masked != given:
        path: DocumentPath = ("examples",)
        trail.note("examples", "values of secret inputs", "***", "they look like secrets", path)
    # Their expected times are the only hint at how long a tool takes that nobody has run yet.
    imported["examples"] = masked
    patterns = [p for c in tool["capabilities"].values() for p in c["patterns"].values()]
    if len(patterns) != 1:
        trail.note(
            "examples", f"{len(given)} examples", "metadata", "the tool has several patterns"
        )
        return
    declared = {
        spec["name"]: spec
        for spec in (*patterns[0]["required_inputs"], *patterns[0]["optional_inputs"])
    }
    patterns[0]["examples"] = []
    for at, example in enumerate(elements(masked)):
        fitting = parts.fitting_example(mapping(example), declared, patterns[0])
        if fitting is None:
            why = "it breaks the rules of the inputs"
            label = text_of(mapping(example).get("name")) or f"example {at + 1}"
            trail.note(f"examples.{at}", label, "left out", why, ("examples", at))
        else:
            patterns[0]["examples"].append(fitting)


def _metadata(raw: Mapping[str, Any], trail: Trail, imported: Mapping[str, Any]) -> dict[str, Any]:
    metadata = dict(mapping(raw.get("metadata")))
    if "tags" in metadata:
        metadata["tags"] = parts.tags_of(metadata["tags"], trail, ("metadata", "tags"))
    if imported:
        metadata["imported"] = without_secrets(dict(imported))
    return metadata
