"""The life of a tool: environments, limits, soft deletion, revisions in the audit log."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns; the statements are in the SQL file of the same name."""
    statements = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})


def downgrade() -> None:
    """Going back would lose what the new columns hold."""
    raise NotImplementedError("restore a backup instead")
