"""The search index: documents, words for correcting typing mistakes, what it shows."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the tables; the statements are in the SQL file of the same name."""
    statements = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})


def downgrade() -> None:
    """Going back would lose what the new columns hold."""
    raise NotImplementedError("restore a backup instead")
