"""Pages of tools: complete, and with nothing in them that a text could have put there."""

from __future__ import annotations

from factories import make_tool

from tool_catalog_pipelines.catalog.pages import index_page, page_name, tool_page
from tool_catalog_pipelines.catalog.yaml_source import snapshot_from_yaml
from tool_catalog_pipelines.settings import CHECKOUT


def test_a_page_has_what_somebody_wants_to_know() -> None:
    tools = snapshot_from_yaml(CHECKOUT / "catalog_yaml").latest
    (tar,) = [tool for tool in tools if tool.label.startswith("linux/tar@")]
    page = tool_page(tar)
    assert page.startswith("# linux/tar\n")
    for text in (tar.spec.description, "### list\\_archive", "| archive |", "```json", "quality"):
        assert text in page
    assert len(page) > 500


def test_every_shipped_tool_has_a_page_and_the_index_leads_to_it() -> None:
    tools = snapshot_from_yaml(CHECKOUT / "catalog_yaml").latest
    index = index_page(tools)
    for tool in tools:
        assert f"]({page_name(tool)})" in index
        assert tool_page(tool).count("\n## ") == len(tool.spec.capabilities)


def test_texts_stay_texts() -> None:
    hostile = "a | b\n# c <script>alert(1)</script> [x](http://y) `z`"
    page = tool_page(make_tool(tool={"description": hostile}))
    assert "\n# c" not in page
    assert "<script>" not in page.replace("\\<", "")
    assert "a \\| b \\# c" in page
