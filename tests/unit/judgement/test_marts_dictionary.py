"""The data dictionary is the one that the SQL files give, and explains every column."""

from __future__ import annotations

from pathlib import Path

import pytest

from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.judgement.mart_file import open_file
from tool_catalog_pipelines.judgement.mart_sql import MartSql, data_dictionary, published_tables
from tool_catalog_pipelines.settings import CHECKOUT

ANALYTICS = CHECKOUT / "analytics"
PAGE = CHECKOUT / "docs" / "reference" / "marts.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == data_dictionary(ANALYTICS), "run `make docs`"


def test_every_table_and_column_is_explained() -> None:
    sql = MartSql(ANALYTICS)
    with open_file(None) as connection:
        sql.make_tables(connection)
        sql.make_marts(connection)
        tables = published_tables(connection)
    assert {table.name for table in tables} >= {
        "executions", "facts", "daily_performance", "hourly_performance", "experiment_arms",
        "estimate_ratio", "recalibration_points", "tools", "tool_estimates", "tool_ab_tests",
    }  # fmt: skip
    assert [table.name for table in tables if not table.meaning] == []
    assert [f"{t.name}.{c.name}" for t in tables for c in t.columns if not c.meaning] == []


def test_a_wrong_folder_is_named_with_the_setting(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="TOOL_CATALOG_ANALYTICS_DIR"):
        data_dictionary(tmp_path)


def test_a_mistake_in_a_file_is_reported_with_its_name(tmp_path: Path) -> None:
    for path in ANALYTICS.glob("*.sql"):
        (tmp_path / path.name).write_text(path.read_text())
    (tmp_path / "10_mine.sql").write_text("CREATE OR REPLACE VIEW mine AS SELECT colour FROM facts")
    with pytest.raises(InvalidInputError, match=r"10_mine\.sql.*colour"):
        data_dictionary(tmp_path)


def test_nothing_is_downloaded() -> None:
    """All extensions that the SQL needs are built in, and loading others is off."""
    with open_file(None) as connection:
        for name in ("autoinstall_known_extensions", "autoload_known_extensions"):
            (row,) = connection.execute(f"SELECT current_setting('{name}')").fetchall()
            assert row == (False,)
