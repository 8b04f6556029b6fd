"""The catalogue as an asset: what it shows, what changed since, and the checks on it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import pytest
from factories import make_tool_spec

from tool_catalog_pipelines.catalog.connect import Catalog, open_catalog
from tool_catalog_pipelines.catalog.snapshot_file import write_snapshot
from tool_catalog_pipelines.defs.catalog import CATALOGUE, catalogue
from tool_catalog_pipelines.defs.catalog_checks import catalogue_checks
from tool_catalog_pipelines.orchestration.resources import shared_resources
from tool_catalog_pipelines.settings import Settings, child_environment
from tool_catalog_pipelines.spec.base import parse_tool_ref

CHECKS = {key.name for key in catalogue_checks.check_keys}


@pytest.fixture
def catalog(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalog]:
    """A catalogue with three tools, named in the environment as a run expects."""
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    with open_catalog(settings) as opened:
        for ref in ("linux/echo@1.0.0", "linux/df@1.0.0", "windows/dir@1.0.0"):
            save(opened, ref)
        yield opened


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def save(catalog: Catalog, ref: str, **more: Any) -> None:
    described = {"description": f"Does what only {ref} does, and does it well"}
    catalog.editor.save_tool(make_tool_spec(ref, **{"tool": described, **more}), "a test")


def materialized(instance: dg.DagsterInstance) -> Mapping[str, Any]:
    """The metadata of a new materialisation."""
    result = dg.materialize([catalogue], instance=instance, resources=shared_resources())
    (event,) = result.asset_materializations_for_node("catalog__catalogue")
    return {name: value.value for name, value in event.metadata.items()}


def checked(
    instance: dg.DagsterInstance, thresholds: Mapping[str, float] | None = None, *names: str
) -> dict[str, dg.AssetCheckEvaluation]:
    """What the checks say, or those that are named."""
    selection = dg.AssetSelection.checks_for_assets(catalogue)
    if names:
        selection = dg.AssetSelection.checks(*(dg.AssetCheckKey(CATALOGUE, n) for n in names))
    ops = {"ops": {"catalogue_checks": {"config": dict(thresholds or {})}}}
    result = dg.materialize(
        [catalogue, catalogue_checks],
        instance=instance,
        selection=selection,
        resources=shared_resources(),
        run_config=ops,
    )
    return {found.check_name: found for found in result.get_asset_check_evaluations()}


def failed(found: Mapping[str, dg.AssetCheckEvaluation]) -> set[str]:
    return {name for name, evaluation in found.items() if not evaluation.passed}


def records(value: Any) -> list[dict[str, Any]]:
    return [dict(record.data) for record in value]


def test_it_counts_what_the_catalogue_holds(catalog: Catalog, instance: dg.DagsterInstance) -> None:
    save(catalog, "custom/listed@1.0.0", binding=None)
    catalog.editor.disable(parse_tool_ref("linux/df"), "a test")
    seen = materialized(instance)
    assert seen["dagster/row_count"] == 4
    assert records(seen["by_platform"].records)[0] == {"platform": "linux", "tools": 2}
    assert records(seen["by_status"].records)[1] == {"status": "disabled", "tools": 1}
    assert seen["executable_share"] == 0.75
    assert records(seen["worst_tools"].records)[0]["tool"] == "custom/listed@1.0.0"
    assert 0 < seen["mean_quality"] < 100
    for plot in ("quality_plot", "platform_plot"):
        image = re.fullmatch(r"!\[plot\]\(data:image/png;base64,(.*)\)", seen[plot])
        assert image
        assert base64.b64decode(image[1]).startswith(b"\x89PNG")


def test_it_says_what_changed_since_the_last_look(
    catalog: Catalog, instance: dg.DagsterInstance
) -> None:
    first = materialized(instance)
    assert first["changed_since"] == f"revisions 1 to {first['revision']}"
    assert "| tool created | 3 |" in first["changes_by_action"]

    second = materialized(instance)
    assert second["changed_since"] == f"nothing since revision {first['revision']}"

    catalog.editor.disable(parse_tool_ref("linux/echo"), "a test", "it is broken")
    third = materialized(instance)
    now = first["revision"] + 1
    assert third["changed_since"] == f"revisions {now} to {now}"
    assert f"| {now} | linux/echo@1.0.0 | disabled | enabled: true -\\> false |" in third["changes"]
    assert "linux/df" not in third["changes"]


def test_another_catalogue_is_told_from_its_beginning(
    catalog: Catalog, instance: dg.DagsterInstance
) -> None:
    other = {"revision": 2, "catalogue_id": "another"}
    instance.report_runless_asset_event(dg.AssetMaterialization(CATALOGUE, metadata=other))
    assert "| tool created | 3 |" in materialized(instance)["changes_by_action"]


def test_every_check_passes_on_a_sound_catalogue(
    catalog: Catalog, instance: dg.DagsterInstance
) -> None:
    materialized(instance)
    found = checked(instance, {"minimum_mean_quality": 1})
    assert set(found) == CHECKS
    assert failed(found) == set()


def test_one_check_can_be_executed_alone(catalog: Catalog, instance: dg.DagsterInstance) -> None:
    name = "snapshot_on_disk_is_current"
    assert set(checked(instance, None, name)) == {name}


def test_quality_below_the_threshold_is_a_warning(
    catalog: Catalog, instance: dg.DagsterInstance
) -> None:
    found = checked(instance, {"minimum_mean_quality": 99.5, "minimum_executable_share": 1.0})
    assert "tools_are_good_on_average" in failed(found)
    assert found["tools_are_good_on_average"].severity == dg.AssetCheckSeverity.WARN
    assert found["enough_tools_are_executable"].passed


def test_too_few_executable_tools_are_a_warning(
    catalog: Catalog, instance: dg.DagsterInstance
) -> None:
    save(catalog, "custom/listed@1.0.0", binding=None)
    found = checked(instance, {"minimum_executable_share": 0.8})
    assert "enough_tools_are_executable" in failed(found)
    assert found["enough_tools_are_executable"].metadata["share"].value == 0.75


def test_two_tools_with_one_description_are_named(
    catalog: Catalog, instance: dg.DagsterInstance
) -> None:
    same = {"description": "Does what another does"}
    save(catalog, "linux/one@1.0.0", tool=same)
    save(catalog, "linux/two@1.0.0", tool=same)
    found = checked(instance)["no_two_tools_share_a_description"]
    assert not found.passed
    assert "linux/one@1.0.0, linux/two@1.0.0" in str(found.metadata["shared"].value)


def test_a_tool_without_latest_version_is_named(
    catalog: Catalog, instance: dg.DagsterInstance
) -> None:
    with catalog.engine.begin() as connection:
        statement = "DELETE FROM tool_catalog.tool_channels WHERE tool_key = 'df'"
        connection.exec_driver_sql(statement)
        statement = "UPDATE tool_catalog.tools SET is_latest = false WHERE tool_name = 'df'"
        connection.exec_driver_sql(statement)
    found = checked(instance)["every_tool_has_one_latest_version"]
    assert not found.passed
    assert found.metadata["wrong"].value == "shared/linux/df"


def test_a_snapshot_that_stayed_behind_is_found(
    catalog: Catalog, instance: dg.DagsterInstance, settings: Settings
) -> None:
    old = catalog.publish()
    save(catalog, "linux/newer@1.0.0")
    write_snapshot(settings.snapshot_path, old)
    found = checked(instance)["snapshot_on_disk_is_current"]
    assert not found.passed
    assert found.metadata["on_disk"].value == old.revision
    settings.snapshot_path.unlink()
    assert checked(instance)["snapshot_on_disk_is_current"].metadata["on_disk"].value == "none"


def test_a_search_index_that_stayed_behind_is_a_warning(
    catalog: Catalog, instance: dg.DagsterInstance
) -> None:
    assert "search_index_is_current" in failed(checked(instance))
    materialized(instance)
    assert "search_index_is_current" not in failed(checked(instance))
    save(catalog, "linux/newer@1.0.0")
    found = checked(instance)["search_index_is_current"]
    assert not found.passed
    assert found.severity == dg.AssetCheckSeverity.WARN


def test_an_empty_catalogue_can_be_looked_at(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert materialized(instance)["dagster/row_count"] == 0
    assert failed(checked(instance)) == set()
