"""From a location that pydantic gives to the path in the document, and to the model in charge.

Pydantic puts names of union members and tags between the keys (`binding, command, argv, 1,
IfArgument, then`); walking the models tells them from keys of the document.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tool_catalog_pipelines.spec.reader import DocumentPath

KEY_MARK = "[key]"
"""What pydantic appends when the key itself is wrong."""


@dataclass(frozen=True, slots=True)
class ModelPath:
    """Where a location of pydantic points.

    Attributes:
        path: keys and indexes in the document.
        is_key: the last key itself is wrong, not its value.
        owner: the model whose field the last part is, if it is one.
        union_at: length of the path where an untagged union was entered last; None if never.
        member: the member of that union.
    """

    path: DocumentPath
    is_key: bool = False
    owner: type[BaseModel] | None = None
    union_at: int | None = None
    member: Any = None


def model_path(model: type[BaseModel], location: Sequence[str | int]) -> ModelPath:
    """Walk a location of a validation error of `model`."""
    walk = _Walk(model)
    for part in location:
        walk.take(part)
    return ModelPath(
        tuple(walk.path),
        is_key=bool(location) and location[-1] == KEY_MARK,
        owner=walk.owner,
        union_at=walk.union_at,
        member=walk.member,
    )


def known_keys(model: type[BaseModel]) -> list[str]:
    """The keys of a model as written in a file."""
    return [field.alias or name for name, field in model.model_fields.items()]


def as_model(expected: Any) -> type[BaseModel] | None:
    """The type, if it is a model."""
    is_model = isinstance(expected, type) and issubclass(cast("type[Any]", expected), BaseModel)
    return cast("type[BaseModel]", expected) if is_model else None


class _Walk:
    """The state of walking one location: the type that is expected at this place."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.path: list[str | int] = []
        self.owner: type[BaseModel] | None = None
        self.union_at: int | None = None
        self.member: Any = None
        self._expected: Any = model

    def take(self, part: str | int) -> None:
        if part == KEY_MARK:
            return
        members = _members(self._expected)
        if len(members) > 1:
            self._enter(members, part)
            return
        self.path.append(part)
        self.owner = as_model(members[0])
        if self.owner is not None:
            self._expected = _field_type(self.owner, part)
        else:
            self._expected = _element_type(members[0], part)

    def _enter(self, members: Sequence[Any], part: str | int) -> None:
        """This part names a member of a union; it is no key."""
        tagged = [member for member in members if part in _tags(member)]
        named = [member for member in members if getattr(member, "__name__", "") == part]
        self._expected = next(iter(tagged or named), Any)
        if not tagged:
            self.union_at, self.member = len(self.path), self._expected


def _members(expected: Any) -> list[Any]:
    """The alternatives of a type without None; the type itself if it is no union."""
    while get_origin(expected) is Annotated:
        expected = get_args(expected)[0]
    if get_origin(expected) not in (Union, types.UnionType):
        return [expected]
    return [
        member
        for alternative in get_args(expected)
        if alternative is not type(None)
        for member in _members(alternative)
    ]


def _tags(member: Any) -> tuple[Any, ...]:
    """The values of `kind` that choose this member of a tagged union."""
    fields = cast("dict[str, FieldInfo]", getattr(member, "model_fields", {}))
    kind = fields["kind"].annotation if "kind" in fields else None
    return get_args(kind) if get_origin(kind) is Literal else ()


def _field_type(model: type[BaseModel], key: str | int) -> Any:
    for name, field in model.model_fields.items():
        if (field.alias or name) == key:
            return field.annotation
    return Any


def _element_type(expected: Any, part: str | int) -> Any:
    arguments = get_args(expected)
    if get_origin(expected) is dict and len(arguments) == 2:
        return arguments[1]
    if get_origin(expected) is tuple and arguments:
        is_fixed = Ellipsis not in arguments and isinstance(part, int) and part < len(arguments)
        return arguments[cast("int", part)] if is_fixed else arguments[0]
    return Any
