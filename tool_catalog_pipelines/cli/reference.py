"""Writes the reference pages that are generated from code: `make docs`."""

from __future__ import annotations

import json

from tool_catalog_pipelines.catalog.export import write_whole
from tool_catalog_pipelines.judgement.mart_sql import data_dictionary
from tool_catalog_pipelines.settings import CHECKOUT, load_settings
from tool_catalog_pipelines.spec.json_schema import KINDS, json_schema


def main() -> None:
    """Write every generated page anew."""
    page = CHECKOUT / "docs" / "reference" / "marts.md"
    page.write_text(data_dictionary(load_settings().analytics_dir), encoding="utf-8")
    for kind in KINDS:
        text = json.dumps(json_schema(kind), indent=2, ensure_ascii=False) + "\n"
        write_whole(CHECKOUT / "docs/reference/schemas" / f"{kind}.schema.json", text)


if __name__ == "__main__":
    main()
