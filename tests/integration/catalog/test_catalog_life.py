"""The life of a tool: versions, channels, rollback, state, deletion, and who may see it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from factories import make_experiment, make_input, make_tool_spec
from sqlalchemy import text

from tool_catalog_pipelines.catalog import history
from tool_catalog_pipelines.catalog.connect import Catalog, open_catalog
from tool_catalog_pipelines.catalog.records import Estimate
from tool_catalog_pipelines.catalog.saving import Terms
from tool_catalog_pipelines.errors import ConflictError, InvalidInputError, NotFoundError
from tool_catalog_pipelines.spec.base import parse_tool_ref as ref

KEY = ("use", "run")


def save(catalog: Catalog, at: str, **more: object):
    return catalog.editor.save_tool(make_tool_spec(at, **more), "test")


def versions_of(catalog: Catalog, name: str = "linux/echo") -> dict[str, set[str]]:
    """Channels by version, as a reader sees them."""
    tools = catalog.store.snapshot().versions(ref(name))
    return {tool.header.version: set(tool.channels) for tool in tools}


def actions(catalog: Catalog, subject: str = "linux/echo") -> list[str]:
    query = history.AuditQuery("shared", subject)
    with catalog.store.reading() as connection:
        return [entry["action"] for entry in history.entries(connection, query)][::-1]


def test_changed_content_makes_versions_and_unchanged_content_none(catalog: Catalog) -> None:
    assert save(catalog, "linux/echo@1.0").outcome == "created"
    assert save(catalog, "linux/echo@1.0").outcome == "unchanged"
    assert save(catalog, "linux/echo@2.0.0", time_estimate_ms="20").label == "linux/echo@2.0.0"
    changed = save(catalog, "linux/echo@2.0.0", time_estimate_ms="30")
    assert (changed.label, changed.note) == (
        "linux/echo@2.0.1",
        "content changed under 2.0.0; saved as 2.0.1",
    )
    assert versions_of(catalog)["2.0.1"] == {"latest"}
    assert versions_of(catalog)["1.0.0"] == {"stable"}


def test_a_rollback_holds_until_a_newer_version_comes(catalog: Catalog) -> None:
    for version, estimate in (("1.0.0", "1"), ("1.1.0", "2"), ("1.2.0", "3")):
        save(catalog, f"linux/echo@{version}", time_estimate_ms=estimate)
    catalog.editor.roll_back(ref("linux/echo@1.1.0"), "test", "1.2.0 hangs")
    save(catalog, "linux/echo@1.0.5", time_estimate_ms="4")
    assert versions_of(catalog)["1.1.0"] == {"latest"}
    save(catalog, "linux/echo@1.3.0", time_estimate_ms="5")
    assert versions_of(catalog)["1.3.0"] == {"latest"}
    assert actions(catalog) == [
        "created",
        "updated",
        "updated",
        "rolled_back",
        "updated",
        "updated",
    ]


def test_only_promote_moves_stable(catalog: Catalog) -> None:
    save(catalog, "linux/echo@1.0.0")
    save(catalog, "linux/echo@2.0.0", time_estimate_ms="2")
    assert versions_of(catalog) == {"1.0.0": {"stable"}, "2.0.0": {"latest"}}
    catalog.editor.promote(ref("linux/echo@2.0.0"), "stable", "test")
    assert versions_of(catalog) == {"1.0.0": set(), "2.0.0": {"latest", "stable"}}


def test_a_disabled_version_loses_latest_and_cannot_be_promoted(catalog: Catalog) -> None:
    save(catalog, "linux/echo@1.0.0")
    save(catalog, "linux/echo@2.0.0", time_estimate_ms="2")
    catalog.editor.disable(ref("linux/echo@2.0.0"), "test", "it deletes too much")
    assert versions_of(catalog)["1.0.0"] == {"latest", "stable"}
    with pytest.raises(InvalidInputError, match="is disabled and cannot be stable"):
        catalog.editor.promote(ref("linux/echo@2.0.0"), "stable", "test")
    catalog.editor.enable(ref("linux/echo@2.0.0"), "test")
    assert versions_of(catalog)["1.0.0"] == {"latest", "stable"}, "enabling is no rollback"


def test_new_versions_of_a_disabled_tool_are_disabled(catalog: Catalog) -> None:
    save(catalog, "linux/echo@1.0.0")
    catalog.editor.disable(ref("linux/echo"), "test")
    saved = save(catalog, "linux/echo@2.0.0", time_estimate_ms="2")
    assert saved.note == "the tool is disabled, and so is the new version"
    assert not any(t.header.is_usable for t in catalog.store.snapshot().versions(ref("echo")))


def test_deleted_tools_are_hidden_and_come_back_by_rollback(catalog: Catalog) -> None:
    save(catalog, "linux/echo@1.0.0")
    save(catalog, "linux/echo@2.0.0", time_estimate_ms="2")
    catalog.editor.delete(ref("linux/echo"), "test")
    with pytest.raises(NotFoundError):
        catalog.store.find(ref("linux/echo"))
    refused = save(catalog, "linux/echo@3.0.0", time_estimate_ms="3")
    assert refused.outcome == "conflict"
    assert "`tool-catalog rollback linux/echo@2.0.0` brings it back" in refused.note
    catalog.editor.roll_back(ref("linux/echo@1.0.0"), "test")
    assert versions_of(catalog) == {"1.0.0": {"latest"}}


def test_purge_removes_only_what_nothing_refers_to(catalog: Catalog) -> None:
    save(catalog, "linux/echo@1.0.0")
    save(catalog, "linux/echo@1.1.0", time_estimate_ms="2")
    save(catalog, "linux/cat@1.0.0")
    catalog.editor.save_experiment(make_experiment(), "test")
    for name in ("linux/echo", "linux/cat"):
        with pytest.raises(InvalidInputError, match="is not deleted"):
            catalog.editor.purge(ref(name), "test")
        catalog.editor.delete(ref(name), "test")
    with pytest.raises(InvalidInputError, match="1 experiments compare it"):
        catalog.editor.purge(ref("linux/echo"), "test")
    with pytest.raises(InvalidInputError, match="the chain nightly uses it"):
        catalog.editor.purge(ref("linux/cat"), "test", chains=("nightly",))
    catalog.editor.purge(ref("linux/cat"), "test", reason="never used")
    assert actions(catalog, "linux/cat") == ["created", "deleted", "purged"]
    assert save(catalog, "linux/cat@1.0.0").outcome == "created"


def test_a_stale_writer_gets_a_conflict_and_changes_nothing(catalog: Catalog) -> None:
    save(catalog, "linux/echo@1.0.0")
    update = catalog.editor.update_tool
    assert update(ref("linux/echo"), {"owner": "ann"}, "test", "1.0.0").label == "linux/echo@1.0.1"
    with pytest.raises(ConflictError, match=r"is at 1\.0\.1, not at 1\.0\.0 any more"):
        update(ref("linux/echo"), {"owner": "bob"}, "test", "1.0.0")
    assert catalog.store.find(ref("linux/echo")).spec.owner == "ann"


def test_a_breaking_update_gets_the_next_major_number(catalog: Catalog) -> None:
    save(catalog, "linux/echo@1.4.2")
    required = [make_input("host")]
    patch = {"capabilities": {"use": {"patterns": {"run": {"required_inputs": required}}}}}
    assert catalog.editor.update_tool(ref("echo"), patch, "test").label == "linux/echo@2.0.0"
    with pytest.raises(InvalidInputError, match="status is not changed by an update"):
        catalog.editor.update_tool(ref("echo"), {"status": "deprecated"}, "test")
    with pytest.raises(InvalidInputError, match="time_estimate_ms"):
        bad = {"capabilities": {"use": {"patterns": {"run": {"time_estimate_ms": "1 +"}}}}}
        catalog.editor.update_tool(ref("echo"), bad, "test")


def test_the_audit_log_tells_every_field(catalog: Catalog) -> None:
    save(catalog, "linux/echo@1.0.0")
    catalog.editor.update_tool(
        ref("echo"), {"owner": "ann", "metadata": {"team": "ops"}}, "test", reason="moved"
    )
    with catalog.store.reading() as connection:
        query = history.AuditQuery("shared", "echo", action="updated", text="OPS")
        (entry,) = history.entries(connection, query)
    assert (entry["changed_by"], entry["reason"], entry["origin"]) == (
        catalog.settings.actor,
        "moved",
        "test",
    )
    assert entry["changes"] == [
        {"field": "version", "old": "1.0.0", "new": "1.0.1"},
        {"field": "owner", "old": None, "new": "ann"},
        {"field": "metadata.team", "old": None, "new": "ops"},
        {"field": "latest", "old": "1.0.0", "new": "1.0.1"},
    ]


def test_what_was_learnt_stays_with_a_pattern_that_did_not_change(catalog: Catalog) -> None:
    tool_id = save(catalog, "linux/echo@1.0.0").tool_id
    learnt = Estimate("12.5", "1", "recalibrated", runs=200)
    catalog.editor.publish_estimate(tool_id, KEY, learnt, "it is slower here")
    catalog.editor.update_tool(ref("echo"), {"owner": "ann"}, "test")
    kept = catalog.store.find(ref("echo")).estimates[KEY]
    assert (kept.time_ms, kept.basis, kept.revision) == ("12.5", "recalibrated", 2)
    save(catalog, "linux/echo@2.0.0", binding={**make_binding(), "argv": ["echo", "other"]})
    assert catalog.store.find(ref("echo")).estimates[KEY].basis == "declared"
    catalog.editor.restore_estimate(ref("linux/echo@1.0.0"), KEY, 1, "test")
    restored = catalog.store.find(ref("linux/echo@1.0.0")).estimates[KEY]
    assert (restored.time_ms, restored.revision) == ("10", 3)


def make_binding() -> dict[str, object]:
    return {"kind": "command", "argv": ["echo"], "output": {"parser": "text", "as": "result"}}


def test_a_tenants_own_tool_hides_the_shared_one(catalog: Catalog) -> None:
    save(catalog, "linux/echo@1.0.0")
    save(catalog, "linux/cat@1.0.0")
    with open_catalog(replace(catalog.settings, tenant="acme")) as acme:
        with pytest.raises(NotFoundError, match="belongs to the shared catalogue"):
            acme.editor.disable(ref("linux/echo"), "test")
        save(acme, "linux/echo@0.1.0", time_estimate_ms="7")
        assert acme.store.find(ref("echo")).header.version == "0.1.0"
        assert acme.store.find(ref("cat")).header.tenant == "shared"
        assert versions_of(acme) == {"0.1.0": {"latest", "stable"}}
    assert catalog.store.find(ref("echo")).header.version == "1.0.0"


def test_a_version_for_staging_is_not_seen_in_production(catalog: Catalog) -> None:
    save(catalog, "linux/echo@1.0.0")
    save(catalog, "linux/echo@2.0.0", tool={"environments": ["staging"]})
    assert catalog.store.find(ref("linux/echo")).header.version == "1.0.0"
    assert versions_of(catalog) == {"1.0.0": {"stable"}}
    with open_catalog(replace(catalog.settings, environment="staging")) as staging:
        assert staging.store.find(ref("linux/echo")).header.version == "2.0.0"


def test_finding_uncached_and_by_capability_gives_what_the_snapshot_gives(catalog: Catalog) -> None:
    save(catalog, "linux/echo@1.0.0")
    save(catalog, "windows/echo@1.0.0")
    save(catalog, "linux/cat@1.0.0", tool={"status": "deprecated"})
    with pytest.raises(NotFoundError, match="linux/echo or windows/echo"):
        catalog.store.find(ref("echo"))
    with pytest.raises(NotFoundError, match="did you mean linux/cat"):
        catalog.store.snapshot().resolve(ref("catt"))
    assert catalog.store.find(ref("windows/echo@stable")).label == "windows/echo@1.0.0"
    found = catalog.store.with_capability("use")
    assert [tool.label for tool in found] == ["linux/echo@1.0.0", "windows/echo@1.0.0"]
    assert "run" in found[0].spec.capabilities["use"].patterns


def test_a_conflict_may_be_skipped_or_fail(catalog: Catalog) -> None:
    save(catalog, "linux/echo@1.0.0")
    other = make_tool_spec("linux/echo@1.0.0", time_estimate_ms="2")
    skipped = catalog.editor.save_tool(other, "test", Terms(on_conflict="skip"))
    assert skipped.outcome == "conflict"
    with pytest.raises(InvalidInputError, match="exists with other content"):
        catalog.editor.save_tool(other, "test", Terms(on_conflict="fail"))
    assert list(versions_of(catalog)) == ["1.0.0"]


def test_a_failed_change_leaves_nothing_behind(catalog: Catalog) -> None:
    with pytest.raises(RuntimeError), catalog.editor.change("test") as turn:
        from tool_catalog_pipelines.catalog.saving import save_version

        save_version(turn, make_tool_spec(), Terms())
        raise RuntimeError
    with catalog.engine.connect() as connection:
        for table in ("tools", "tool_patterns", "tool_audit_log", "tool_estimates"):
            counted = text(f"SELECT count(*) FROM tool_catalog.{table}")
            assert connection.execute(counted).scalar_one() == 0
