"""A tool as a document to be searched: its texts by weight, and what filters ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.search.embedding import Parts
from tool_catalog_pipelines.catalog.search.words import stem, words_of

_MAX_METADATA_CHARACTERS = 20_000
_WEIGHTS = {"A": 3.0, "B": 2.0, "C": 1.0, "D": 0.3}


@dataclass(frozen=True, slots=True)
class ToolDocument:
    """What is indexed of one version of a tool.

    `texts` has four weights as PostgreSQL has them: A names, B descriptions, C patterns, use cases
    and tags, D everything else.
    """

    tool: CatalogTool
    texts: Mapping[str, str]
    category: str
    description: str
    owner: str | None
    tags: tuple[str, ...]
    capabilities: tuple[str, ...]

    @property
    def parts(self) -> Parts:
        """The texts with their weights, as an embedder takes them."""
        return [(_WEIGHTS[weight], text) for weight, text in self.texts.items()]

    @property
    def words(self) -> set[str]:
        """Every distinct word, and what is left of it without its ending."""
        words = {word for text in self.texts.values() for word in words_of(text)}
        return words | {stem(word) for word in words}


def document_of(tool: CatalogTool) -> ToolDocument:
    """The document of one version."""
    spec = tool.document()
    metadata = cast("Mapping[str, Any]", spec.get("metadata") or {})
    capabilities = cast("Mapping[str, Any]", spec["capabilities"])
    tags = metadata.get("tags")
    texts = {
        "A": [tool.header.tool_name, *capabilities],
        "B": [spec["description"], *(group["description"] for group in capabilities.values())],
        "C": [*_pattern_texts(capabilities), *_strings(tags)],
        "D": [tool.header.platform, spec["category"], *_input_texts(capabilities)],
    }
    others = " ".join(_strings({k: v for k, v in metadata.items() if k != "tags"}))
    texts["D"].append(others[:_MAX_METADATA_CHARACTERS])
    return ToolDocument(
        tool=tool,
        texts={weight: " ".join(words_of(" ".join(found))) for weight, found in texts.items()},
        category=spec["category"],
        description=spec["description"],
        owner=spec.get("owner"),
        tags=tuple(_strings(tags)) if isinstance(tags, list) else (),
        capabilities=tuple(capabilities),
    )


def _patterns(capabilities: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for group in capabilities.values():
        yield from group["patterns"].items()


def _pattern_texts(capabilities: Mapping[str, Any]) -> Iterator[str]:
    for name, pattern in _patterns(capabilities):
        yield from (name, pattern["description"], *pattern.get("typical_use_cases", ()))


def _input_texts(capabilities: Mapping[str, Any]) -> Iterator[str]:
    for _, pattern in _patterns(capabilities):
        for key in ("required_inputs", "optional_inputs"):
            for declared in pattern.get(key, ()):
                yield from (declared["name"], declared.get("description", ""))


def _strings(value: Any) -> Iterator[str]:
    """Every text inside a value, keys included; addresses say nothing about what a tool does."""
    if isinstance(value, str):
        if "://" not in value:
            yield value
    elif isinstance(value, Mapping):
        for key, inner in cast("Mapping[str, Any]", value).items():
            yield key
            yield from _strings(inner)
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for inner in cast("Sequence[Any]", value):
            yield from _strings(inner)
