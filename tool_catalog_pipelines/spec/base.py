"""Types shared by all specs: the strict frozen base, JSON values, names, references.

Does not belong here: anything specific to tools, chains or experiments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

TypeName = Literal["string", "integer", "number", "boolean", "array", "object"]
JsonValue = Any
"""Any value that JSON can hold. Only this alias says Any in specs: YAML is untyped at the edge."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
_NUMBER = r"(0|[1-9]\d{0,5})"
Version = Annotated[
    str,
    StringConstraints(pattern=rf"^{_NUMBER}(\.{_NUMBER}){{0,2}}(-[0-9A-Za-z.-]{{1,40}})?$"),
]

_REFERENCE = re.compile(
    r"(?:(?P<platform>[a-z][a-z-]*)/)?(?P<name>[A-Za-z0-9][A-Za-z0-9_.-]{0,99})"
    r"(?:@(?P<at>[A-Za-z0-9.-]{1,100}))?"
)
CHANNELS = ("latest", "stable", "testing")


class SpecModel(BaseModel):
    """Base of everything a person writes: immutable, and an unknown key is a problem."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


@dataclass(frozen=True, slots=True)
class ToolRef:
    """`platform/name[@version|@channel]`; without platform the name must be unique."""

    name: str
    platform: str | None = None
    at: str | None = None

    def __str__(self) -> str:
        platform = f"{self.platform}/" if self.platform else ""
        at = f"@{self.at}" if self.at else ""
        return f"{platform}{self.name}{at}"

    @property
    def is_pinned(self) -> bool:
        """True for an exact version; a pinned step is never exposed to an experiment."""
        return self.at is not None and self.at not in CHANNELS


def parse_tool_ref(text: str) -> ToolRef:
    """Read a tool reference.

    Raises:
        ValueError: the text is not a reference.
    """
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text!r} is not a tool reference; write platform/name, or platform/name@version"
        )
    return ToolRef(name=match["name"].lower(), platform=match["platform"], at=match["at"])
