"""What Alembic runs to get a connection: ours, inside the transaction of db/migrate.py."""

from __future__ import annotations

from typing import cast

from alembic import context
from sqlalchemy import Connection

from tool_catalog_pipelines.db.schema import SCHEMA, metadata

context.configure(
    connection=cast("Connection", context.config.attributes["connection"]),
    target_metadata=metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
)
context.run_migrations()
