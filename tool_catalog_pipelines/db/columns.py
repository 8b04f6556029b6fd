"""What the tables share: the metadata with its naming convention, and column shapes.

Does not belong here: any table.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    MetaData,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import UserDefinedType

SCHEMA = "tool_catalog"

metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    },
)


class TransactionId(UserDefinedType[str]):
    """PostgreSQL's `xid8`: the 64-bit transaction id, which never wraps around."""

    cache_ok = True

    def get_col_spec(self, **_kw: Any) -> str:
        """The type's name in DDL."""
        return "xid8"


def identity() -> Column[Any]:
    """The primary key `id`: a bigint that the database counts."""
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def text_column(name: str, **options: Any) -> Column[Any]:
    """A text that is never null."""
    return Column(name, Text, nullable=False, **options)


def json_column(name: str, default: str | None = None) -> Column[Any]:
    """A jsonb with a default, or one that may be null when no default is given."""
    if default is None:
        return Column(name, JSONB(none_as_null=True))
    return Column(name, JSONB, nullable=False, server_default=text(f"'{default}'::jsonb"))


def time_column(name: str) -> Column[Any]:
    """A moment that is never null and defaults to the transaction's time."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def moment_column(name: str, nullable: bool = True) -> Column[Any]:
    """A moment that the caller sets."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def tool_reference(name: str, on_delete: str, nullable: bool = False) -> Column[Any]:
    """A foreign key to one tool version, with what happens when that version is deleted."""
    return row_reference(name, "tools", on_delete, nullable)


def row_reference(
    name: str, table: str, on_delete: str, nullable: bool = False, primary_key: bool = False
) -> Column[Any]:
    """A foreign key to a row of one of our tables, with what happens when that is deleted."""
    key = ForeignKey(f"{SCHEMA}.{table}.id", ondelete=on_delete)
    return Column(name, BigInteger, key, nullable=nullable, primary_key=primary_key)
