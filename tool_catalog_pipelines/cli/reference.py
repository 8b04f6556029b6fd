"""Writes the reference pages that are generated from code: `make docs`."""

from __future__ import annotations

from tool_catalog_pipelines.judgement.mart_sql import data_dictionary
from tool_catalog_pipelines.settings import CHECKOUT, load_settings


def main() -> None:
    """Write every generated page anew."""
    page = CHECKOUT / "docs" / "reference" / "marts.md"
    page.write_text(data_dictionary(load_settings().analytics_dir), encoding="utf-8")


if __name__ == "__main__":
    main()
