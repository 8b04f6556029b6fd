"""The file of optimisation profiles: a mapping `tools` with estimates and policies, no inputs.

Its free texts become the neutral value of the grammar; what was written stays in the metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from tool_catalog_pipelines.catalog.formats.draft import Converted, Draft
from tool_catalog_pipelines.catalog.formats.foreign import (
    NOT_SAID,
    Names,
    Trail,
    description_of,
    elements,
    identifier,
    mapping,
    named,
    printable,
    text_of,
    texts,
    tool_names,
    version_of,
    without_secrets,
)
from tool_catalog_pipelines.catalog.formats.profile_values import (
    condition_of,
    estimates_of,
    policy_of,
    preferences_of,
    word_of,
)
from tool_catalog_pipelines.catalog.formats.schema_values import UnreadableError
from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.reader import Document, DocumentPath
from tool_catalog_pipelines.spec.tool import Scope

_MAX_TOOLS = 5_000
_KNOWN_PATTERN = frozenset({
    "description", "typical_use_cases", "time_estimate_ms", "cost_estimate", "complexity_score",
    "scope", "completeness", "limitations", "policy", "preference_match", "requires_inputs",
})  # fmt: skip


class ProfilesFormat:
    """`tools`, a mapping of names to mappings with `capabilities`."""

    @property
    def name(self) -> str:
        """Shown in reports."""
        return "optimization-profiles"

    def recognises(self, document: Document) -> bool:
        """Whether `tools` is a mapping of mappings with capabilities."""
        tools = document.value.get("tools")
        if not isinstance(tools, dict) or "tool_name" in document.value:
            return False
        return any("capabilities" in mapping(tool) for tool in mapping(tools).values())

    def convert(self, document: Document) -> Converted:
        """One draft per tool; whatever is no tool is a problem."""
        tools = mapping(document.value.get("tools"))
        if len(tools) > _MAX_TOOLS:
            message = f"{len(tools)} tools, more than the {_MAX_TOOLS} allowed"
            return Converted((), (Problem(message, document.key_position(("tools",)), "split it"),))
        drafts: list[Draft] = []
        problems: list[Problem] = []
        names = tool_names()
        for written in tools:
            try:
                drafts.append(_Reading(document, written).draft(names))
            except UnreadableError as error:
                where = document.key_position(("tools", written))
                message = f"{printable(written)}: {error}"
                problems.append(Problem(message, where, "correct this tool", "tool"))
        return Converted(tuple(drafts), tuple(problems))


class _Reading:
    """The state of reading one tool."""

    def __init__(self, document: Document, written: str) -> None:
        self._document = document
        self._written = written
        self._where: DocumentPath = ("tools", written)
        self._tool = mapping(document.value_at(self._where))
        self._trail = Trail(document)
        self._original: dict[str, JsonValue] = {}

    def draft(self, names: Names) -> Draft:
        document, trail = self._document, self._trail
        name = named(self._written, names, trail, self._where)
        if name is None:
            raise UnreadableError("no tool can be called so")
        capabilities = mapping(self._tool.get("capabilities"))
        if not capabilities:
            raise UnreadableError("it has no capabilities")
        taken = Names()
        made: dict[str, Any] = {
            "tool_name": name,
            "platform": "multi-platform",
            "version": version_of(self._file_version(), trail, ("version",)),
            "category": "automation",
            "description": description_of(
                self._tool.get("description"), name, "description", trail, self._where
            ),
            "defaults": self._defaults(),
            "capabilities": {
                self._key(taken, key, (*self._where, "capabilities")): self._capability(key, value)
                for key, value in capabilities.items()
            },
        }
        why = "the file does not say it"
        trail.note("platform, category", NOT_SAID, "multi-platform, automation", why)
        trail.note("effects", NOT_SAID, "system", why)
        made["metadata"] = self._metadata()
        return Draft(made, document.key_position(self._where), trail.coerced)

    def _file_version(self) -> JsonValue:
        return self._document.number_texts.get(("version",), self._document.value.get("version"))

    def _key(self, taken: Names, written: str, where: DocumentPath) -> str:
        key = taken.take(identifier(written))
        if key != written:
            why = "small letters, digits and _"
            self._trail.note("capabilities", written, key, why, (*where, written))
        return key

    def _word(
        self, value: JsonValue, allowed: tuple[str, ...], neutral: str, path: DocumentPath
    ) -> str:
        """One of the allowed words; the text as it was goes into the metadata."""
        word = word_of(value, allowed)
        if word != value and value is not None:
            field = ".".join(str(part) for part in path[2:])
            why = "not a word of the grammar" if word is None else "the text says more"
            self._trail.note(field, value, word or neutral, why, path)
            self._original[printable(field)] = text_of(value)[:500]
        return word or neutral

    def _defaults(self) -> dict[str, str]:
        given = mapping(self._tool.get("defaults"))
        where = (*self._where, "defaults")
        words = ("real-time", "cached", "estimated")
        fresh = ("live", "recent", "historical")
        return {
            "accuracy_level": self._word(
                given.get("accuracy_level"), words, "real-time", (*where, "accuracy_level")
            ),
            "freshness": self._word(given.get("freshness"), fresh, "live", (*where, "freshness")),
            "data_source": text_of(given.get("data_source"))[:200] or "direct",
        }

    def _capability(self, key: str, value: JsonValue) -> dict[str, Any]:
        where = (*self._where, "capabilities", key)
        patterns = mapping(mapping(value).get("patterns"))
        if not patterns:
            raise UnreadableError(f"the capability '{printable(key)}' has no patterns")
        taken = Names()
        said = mapping(value).get("description") or printable(key).replace("_", " ")
        return {
            "description": description_of(said, "a capability", "description", self._trail, where),
            "patterns": {
                self._key(taken, name, (*where, "patterns")): self._pattern(
                    mapping(pattern), (*where, "patterns", name)
                )
                for name, pattern in patterns.items()
            },
        }

    def _pattern(self, given: Mapping[str, Any], where: DocumentPath) -> dict[str, Any]:
        trail = self._trail
        score = given.get("complexity_score")
        made: dict[str, Any] = {
            "description": description_of(
                given.get("description"), printable(str(where[-1])), "description", trail, where
            ),
            "typical_use_cases": texts(given.get("typical_use_cases"))[:50],
            **estimates_of(given, trail, where),
            "scope": self._word(
                given.get("scope"), get_args(Scope), "single_item", (*where, "scope")
            ),
            "completeness": self._word(
                given.get("completeness"),
                ("complete", "partial", "summary"),
                "complete",
                (*where, "completeness"),
            ),
            "effects": "system",
            "limitations": texts(given.get("limitations"))[:50],
            "policy": policy_of(mapping(given.get("policy")), trail, (*where, "policy")),
            "preference_match": preferences_of(
                mapping(given.get("preference_match")), trail, (*where, "preference_match")
            ),
            "required_inputs": self._required(given, where),
        }
        if isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1:
            made["complexity_score"] = score
        elif score is not None:
            trail.note("complexity_score", score, "0.5", "not a number from 0 to 1", where)
        condition = condition_of(mapping(given.get("policy")), trail, (*where, "policy"))
        if condition is not None:
            made["policy"]["requires_background_if"] = condition
        self._overrides(given, where)
        return made

    def _overrides(self, given: Mapping[str, Any], where: DocumentPath) -> None:
        """What the grammar says of tools only, or does not know."""
        for key in sorted(given.keys() - _KNOWN_PATTERN):
            field = printable(".".join(str(part) for part in (*where[2:], key)))
            self._trail.note(field, given[key], "metadata", "no key of a pattern", (*where, key))
            self._original[field] = without_secrets(given[key], key)

    def _required(self, given: Mapping[str, Any], where: DocumentPath) -> list[dict[str, Any]]:
        names = [one for one in elements(given.get("requires_inputs")) if isinstance(one, str)][
            :100
        ]
        taken = Names()
        if names:
            path = (*where, "requires_inputs")
            why = "only names are given"
            self._trail.note("required_inputs", ", ".join(names), "texts", why, path)
        return [
            {
                "name": taken.take(identifier(one)),
                "type": "string",
                "description": printable(one) or "-",
            }
            for one in names
        ]

    def _metadata(self) -> dict[str, JsonValue]:
        known = {"description", "defaults", "capabilities"}
        more = {
            key: without_secrets(value, key)
            for key, value in self._tool.items()
            if key not in known
        }
        found: dict[str, JsonValue] = {
            "source_format": "optimization-profiles",
            "as_written": self._original,
            "more": more,
        }
        return {key: value for key, value in found.items() if value}
