"""A catalogue is counted as its readers see it, its log by what was done, its faults by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from factories import make_pattern, make_snapshot, make_tool

from tool_catalog_pipelines.catalog.feed import Place
from tool_catalog_pipelines.catalog.following import Followers
from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.soundness import (
    broken_tools,
    shared_descriptions,
    without_one_latest,
)
from tool_catalog_pipelines.catalog.summary import (
    CHANGES_SHOWN,
    HERE,
    NOWHERE,
    REMOTE,
    WORST,
    changes_of,
    summary_of,
)
from tool_catalog_pipelines.spec.quality import quality_of

REMOTE_BINDING = {
    "kind": "command",
    "argv": ["echo", "hello"],
    "target": "some_host",
    "output": {"parser": "text", "as": "result"},
}


def switched_off(tool: CatalogTool) -> CatalogTool:
    return CatalogTool.of(tool.spec, replace(tool.header, enabled=False))


def entry(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "revision": number,
        "entity_type": "tool",
        "entity_key": "linux/echo@1.0.0",
        "action": "created",
        "changes": [],
        "reason": "",
        "origin": "a test",
        "changed_by": "tester",
        **more,
    }


def test_tools_are_counted_by_their_latest_version() -> None:
    summary = summary_of(
        make_snapshot(
            make_tool("linux/echo@1.0.0", channels=()),
            make_tool("linux/echo@1.1.0"),
            make_tool("linux/df@1.0.0", tool={"category": "storage"}),
            make_tool("windows/dir@1.0.0", tool={"status": "deprecated"}),
        )
    )
    assert (summary.tools, summary.versions) == (3, 4)
    assert list(summary.by_platform.items()) == [("linux", 2), ("windows", 1)]
    assert summary.by_category["storage"] == 1
    assert summary.by_status == {"active": 2, "deprecated": 1}


def test_a_tool_that_is_switched_off_is_disabled_whatever_its_status() -> None:
    tool = make_tool("linux/echo@1.0.0")
    assert summary_of(make_snapshot(switched_off(tool))).by_status == {"disabled": 1}


def test_tools_are_counted_by_where_they_are_executed() -> None:
    both = {
        "use": {
            "there": make_pattern(binding=REMOTE_BINDING),
            "here": make_pattern(),
            "nowhere": make_pattern(binding=None),
        }
    }
    summary = summary_of(
        make_snapshot(
            make_tool("linux/both", capabilities=both),
            make_tool("linux/listed", binding=None),
            make_tool("linux/there", binding=REMOTE_BINDING),
            make_tool("linux/here"),
        )
    )
    assert summary.by_execution == {HERE: 2, NOWHERE: 1, REMOTE: 1}
    assert summary.executable_share == 0.75


def test_the_worst_tools_come_with_what_would_help_most() -> None:
    good = [make_tool(f"linux/good{number}") for number in range(WORST)]
    bad = make_tool("linux/bad", binding=None)
    summary = summary_of(make_snapshot(*good, bad))
    assert len(summary.worst) == WORST
    worst = summary.worst[0]
    assert (worst.tool, worst.points) == (bad.label, quality_of(bad.spec).points)
    assert worst.first_gap == "add a binding, so that it can be executed"
    points = [quality_of(tool.spec).points for tool in (*good, bad)]
    assert summary.mean_quality == sum(points) / len(points)


def test_an_empty_catalogue_has_no_share_and_no_mean() -> None:
    summary = summary_of(replace(make_snapshot(), tools=()))
    assert summary.tools == 0
    assert summary.executable_share is None
    assert summary.mean_quality is None


def test_changes_are_counted_by_what_was_done_and_shown_newest_first() -> None:
    log = [
        entry(
            9,
            action="disabled",
            changes=[{"field": "enabled", "old": True, "new": False}],
            reason="too slow",
        ),
        entry(8, action="rolled_back", changes=[{"field": "latest", "old": "2.0.0", "new": "1.0"}]),
        entry(8),
        entry(7),
    ]
    changes = changes_of(log, 6, 9)
    assert changes.by_action == {"tool created": 2, "tool disabled": 1, "tool rolled back": 1}
    assert changes.revisions == "revisions 7 to 9"
    assert changes.rows[0] == {
        "revision": "9",
        "what": "linux/echo@1.0.0",
        "action": "disabled",
        "changes": "enabled: true -> false",
        "by": "tester",
        "reason": "too slow",
        "through": "a test",
    }
    assert changes.rows[1]["changes"] == 'latest: "2.0.0" -> "1.0"'


def test_large_changes_are_told_by_their_fields() -> None:
    fields = [{"field": f"field{n}", "old": None, "new": "x" * 100} for n in range(8)]
    (updated, created) = changes_of(
        [entry(action="updated", changes=fields), entry(changes=fields)], None, 1
    ).rows
    assert updated["changes"] == "field0, field1, field2, field3, field4, field5 and 2 more"
    assert created["changes"] == ""


def test_every_change_is_counted_but_only_the_newest_are_shown() -> None:
    changes = changes_of((entry(n) for n in range(CHANGES_SHOWN + 7)), None, 99)
    assert changes.by_action == {"tool created": CHANGES_SHOWN + 7}
    assert len(changes.rows) == CHANGES_SHOWN


def test_no_change_is_said() -> None:
    assert changes_of([], 5, 5).revisions == "nothing since revision 5"
    assert changes_of([], None, 5).revisions == "revisions 1 to 5"


def test_descriptions_that_differ_in_spelling_only_are_shared() -> None:
    tools = [
        make_tool("linux/one", tool={"description": "Shows  the disks."}),
        make_tool("linux/two", tool={"description": "shows the disks"}),
        make_tool("linux/three", tool={"description": "Shows the discs"}),
    ]
    (labels,) = shared_descriptions(tools).values()
    assert labels == ("linux/one@1.0.0", "linux/two@1.0.0")


def test_stored_content_that_the_checks_refuse_is_named() -> None:
    good = make_tool("linux/good")
    raw = bytes(good.raw).replace(b'"time_estimate_ms":"10"', b'"time_estimate_ms":"10 +"')
    assert raw != bytes(good.raw)
    broken = CatalogTool(replace(good.header, tool_name="broken"), raw)
    found = broken_tools([good, broken])
    assert list(found) == ["linux/broken@1.0.0"]
    assert (
        "time_estimate_ms" in found["linux/broken@1.0.0"] or "10 +" in found["linux/broken@1.0.0"]
    )


def test_a_tool_needs_one_latest_version_if_one_is_active() -> None:
    snapshot = make_snapshot(
        make_tool("linux/right@1.0.0"),
        make_tool("linux/none@1.0.0", channels=()),
        make_tool("linux/draft@1.0.0", channels=(), tool={"status": "draft"}),
        make_tool("linux/two@1.0.0"),
        make_tool("linux/two@2.0.0"),
    )
    assert without_one_latest(snapshot) == ("shared/linux/none", "shared/linux/two")


def test_a_follower_is_current_when_it_has_seen_every_change_of_this_catalogue() -> None:
    followers = Followers(Place("this", 5), None, None)
    assert followers.is_current(Place("this", 5))
    assert followers.is_current(Place("this", 6))
    assert not followers.is_current(Place("this", 4))
    assert not followers.is_current(Place("other", 5))
    assert not followers.is_current(None)
