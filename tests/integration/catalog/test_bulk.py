"""Many tools changed at once: shown first, refused as a whole, conflicts left alone."""

from __future__ import annotations

import pytest
from factories import make_tool_spec

from tool_catalog_pipelines.catalog.bulk import BulkChange, make_changes, planned
from tool_catalog_pipelines.catalog.connect import Catalog
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.spec.base import parse_tool_ref as ref


@pytest.fixture
def tools(catalog: Catalog) -> Catalog:
    for name, tags in (("one", ["a"]), ("two", ["a", "b"]), ("three", [])):
        tool = {"metadata": {"tags": tags}} if tags else {}
        catalog.editor.save_tool(make_tool_spec(f"linux/{name}", tool=tool), "test")
    return catalog


def tags_of(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    return {t.header.tool_name: t.spec.tags for t in catalog.store.snapshot().latest}


def test_the_preview_changes_nothing_and_leaves_out_what_stays(tools: Catalog) -> None:
    before = tools.store.snapshot().revision
    plan = planned(tools.store.snapshot().latest, BulkChange({}, ("b",)))
    changed = {one.tool.header.tool_name: one.changes[0] for one in plan}
    assert set(changed) == {"one", "three"}
    assert changed["one"].path.startswith("metadata")
    assert tools.store.snapshot().revision == before


def test_every_tool_is_changed_and_audited(tools: Catalog) -> None:
    change = BulkChange({"owner": "ops"}, add_tags=("new",), remove_tags=("a",))
    plan = planned(tools.store.snapshot().latest, change)
    done = list(make_changes(plan, tools.editor, "test", "handed over"))
    assert [one.outcome for one in done] == ["new_version"] * 3
    assert tags_of(tools) == {"one": ("new",), "two": ("b", "new"), "three": ("new",)}
    assert {t.spec.owner for t in tools.store.snapshot().latest} == {"ops"}


def test_the_last_tag_can_be_removed(tools: Catalog) -> None:
    plan = planned(tools.store.snapshot().latest, BulkChange({}, remove_tags=("a", "b")))
    list(make_changes(plan, tools.editor, "test", ""))
    assert set(tags_of(tools).values()) == {()}


def test_one_that_would_not_be_valid_refuses_all(tools: Catalog) -> None:
    with pytest.raises(InvalidInputError) as caught:
        planned(tools.store.snapshot().latest, BulkChange({"timeout_s": -1}))
    assert len(caught.value.problems) == 3


def test_a_tool_that_changed_meanwhile_is_a_conflict_and_the_rest_is_changed(
    tools: Catalog,
) -> None:
    plan = planned(tools.store.snapshot().latest, BulkChange({"owner": "ops"}))
    tools.editor.update_tool(ref("linux/two"), {"owner": "ann"}, "test")
    done = {one.tool.partition("@")[0]: one for one in make_changes(plan, tools.editor, "test", "")}
    assert done["linux/two"].outcome == "conflict"
    owners = {t.header.tool_name: t.spec.owner for t in tools.store.snapshot().latest}
    assert owners == {"one": "ops", "two": "ann", "three": "ops"}
