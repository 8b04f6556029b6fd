"""One module per migration, found by Alembic."""
