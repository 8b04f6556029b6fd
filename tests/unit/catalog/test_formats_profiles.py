"""Files of optimisation profiles: estimates with their variables, free texts made neutral."""

from __future__ import annotations

from foreign_files import FOREIGN, converted, converted_value, mutated, notes_of, tools_of

from tool_catalog_pipelines.spec.load import read_foreign_file


def test_estimates_come_with_the_variables_that_they_use() -> None:
    tool = tools_of(converted("profiles.yaml"))["asset-query"]
    pattern = tool.pattern("asset_query", "list")
    defaults = {name: variable.default for name, variable in pattern.variables.items()}
    assert defaults == {"N": 0, "pages": 1, "p95_latency": 100}
    assert pattern.cost_estimate == "1"
    assert tool.pattern("asset_query", "one").time_estimate_ms == "80"


def test_an_estimate_that_cannot_be_read_stays_unknown() -> None:
    tool = tools_of(converted("profiles.yaml"))["asset-query"]
    assert tool.pattern("asset_query", "one").cost_estimate is None
    assert notes_of(converted("profiles.yaml"), "asset-query")["cost_estimate"] == "left out"


def test_policies_are_kept() -> None:
    policy = (
        tools_of(converted("profiles.yaml"))["asset-query"].pattern("asset_query", "list").policy
    )
    assert (policy.max_n_immediate, policy.requires_background_if) == (50, "N > 50")


def test_free_texts_become_neutral_words_and_are_kept_beside() -> None:
    tool = tools_of(converted("profiles.yaml"))["asset-query"]
    listing, single = tool.pattern("asset_query", "list"), tool.pattern("asset_query", "one")
    assert (listing.scope, listing.completeness) == ("single_item", "complete")
    assert single.scope == "single_item"
    assert (tool.defaults.accuracy_level, tool.defaults.freshness) == ("cached", "recent")
    written = tool.metadata["as_written"]
    assert "summary_list" in written.values()
    assert "recent (5 min stale)" in written.values()
    assert listing.preference_match.accuracy == 0.5


def test_nothing_is_claimed_about_effects() -> None:
    tool = tools_of(converted("profiles.yaml"))["asset-query"]
    assert tool.pattern("asset_query", "list").effects == "system"


def test_a_broken_tool_stops_no_other() -> None:
    result = converted("profiles.yaml")
    assert [draft.document["tool_name"] for draft in result.drafts] == ["asset-query"]
    assert "broken" in result.problems[0].message


def test_mutated_files_give_drafts_or_problems() -> None:
    whole = read_foreign_file(FOREIGN / "profiles.yaml").value
    for seed in range(300):
        tools_of(converted_value(mutated(whole, seed)))
