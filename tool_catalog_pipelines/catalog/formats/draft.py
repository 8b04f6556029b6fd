"""What every foreign format is turned into: drafts of tools, and what had to be changed on the way.

Does not belong here: any format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tool_catalog_pipelines.errors import Position, Problem
from tool_catalog_pipelines.spec.reader import Document, DocumentPath


@dataclass(frozen=True, slots=True)
class Coerced:
    """One value that was not taken as it was written; secrets are masked in both texts."""

    field: str
    """Where in the draft, as dotted path (`capabilities.x.patterns.y.price`)."""
    given: str
    became: str
    why: str
    position: Position | None = None

    def __str__(self) -> str:
        where = f"{self.position}: " if self.position else ""
        return f"{where}{self.field}: {self.given} -> {self.became} ({self.why})"


@dataclass(frozen=True, slots=True)
class Draft:
    """One tool in the grammar of our own tool files, not yet validated.

    Attributes:
        document: what a tool file would hold; keys as in spec/tool.py.
        position: where the tool begins in the file it came from.
        coerced: every value that was not taken as written.
        sources: for paths of `document`, the path in the source that the value came from, so that
            a problem found by validation can name the right line; the nearest known ancestor
            counts.
    """

    document: Mapping[str, Any]
    position: Position
    coerced: tuple[Coerced, ...] = ()
    sources: Mapping[DocumentPath, DocumentPath] = field(
        default_factory=dict[DocumentPath, DocumentPath]
    )


@dataclass(frozen=True, slots=True)
class Converted:
    """Everything that one file held: drafts, and problems that kept other tools from being one."""

    drafts: tuple[Draft, ...]
    problems: tuple[Problem, ...] = ()


class Format(Protocol):
    """A family of files that can be read."""

    @property
    def name(self) -> str:
        """Short name shown in reports (`openapi`, `mcp`, `legacy-full`, ...)."""
        ...

    def recognises(self, document: Document) -> bool:
        """True if a file is of this format; cheap, looks at keys and their types only."""
        ...

    def convert(self, document: Document) -> Converted:
        """Turn a file of this format into drafts.

        A tool is a whole draft or a problem. Nothing is invented: what the file does not say and
        the grammar needs gets the neutral value and a `Coerced` line; an unknown estimate stays
        unknown (no key).
        """
        ...
