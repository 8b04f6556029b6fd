"""The first schema; the statements are in the SQL file of the same name."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables, the audit trigger and the function that makes partitions."""
    statements = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})


def downgrade() -> None:
    """There is nothing before the first schema."""
    raise NotImplementedError("drop the schema tool_catalog instead")
