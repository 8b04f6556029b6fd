"""Forecasts of chain runs, and what became of them."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table; the statements are in the SQL file of the same name."""
    statements = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})


def downgrade() -> None:
    """Going back would lose the forecasts."""
    raise NotImplementedError("restore a backup instead")
