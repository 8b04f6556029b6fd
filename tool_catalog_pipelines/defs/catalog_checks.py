"""What must be true of the catalogue, as asset checks: each can be executed on its own.

They share one reading of the catalogue. The rules are in catalog/soundness.py and
catalog/summary.py; here is only what passes and how it is shown.
"""

# Annotations stay types here: Dagster does not read a `context` whose type is a text.

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from tool_catalog_pipelines.catalog.connect import Catalog
from tool_catalog_pipelines.catalog.feed import Place
from tool_catalog_pipelines.catalog.following import Followers, followers_of
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.catalog.soundness import (
    broken_tools,
    shared_descriptions,
    without_one_latest,
)
from tool_catalog_pipelines.catalog.summary import summary_of
from tool_catalog_pipelines.defs.catalog import CATALOGUE, CHECKS
from tool_catalog_pipelines.defs.forms import CatalogueThresholds
from tool_catalog_pipelines.orchestration.markdown import markdown_table
from tool_catalog_pipelines.orchestration.resources import CatalogResource


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the checks look at, read once."""

    snapshot: CatalogSnapshot
    followers: Followers
    minimum_quality: float
    minimum_share: float


@dataclass(frozen=True, slots=True)
class _Found:
    passed: bool
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Check:
    description: str
    look: Callable[[_Seen], _Found]
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR


def _valid(seen: _Seen) -> _Found:
    broken = broken_tools(seen.snapshot.latest)
    rows = [{"tool": label, "problems": why} for label, why in broken.items()]
    return _Found(not rows, {"broken": dg.MetadataValue.md(markdown_table(rows))})


def _told_apart(seen: _Seen) -> _Found:
    shared = shared_descriptions(seen.snapshot.latest)
    rows = [{"description": text, "tools": ", ".join(labels)} for text, labels in shared.items()]
    return _Found(not rows, {"shared": dg.MetadataValue.md(markdown_table(rows))})


def _one_latest(seen: _Seen) -> _Found:
    wrong = without_one_latest(seen.snapshot)
    return _Found(not wrong, {"wrong": ", ".join(wrong) or "none"})


def _executable(seen: _Seen) -> _Found:
    share = summary_of(seen.snapshot).executable_share
    minimum = seen.minimum_share
    shown = {"share": "no tools" if share is None else round(share, 3), "minimum": minimum}
    return _Found(share is None or share >= minimum, shown)


def _good(seen: _Seen) -> _Found:
    mean = summary_of(seen.snapshot).mean_quality
    minimum = seen.minimum_quality
    shown = {"mean": "no tools" if mean is None else round(mean, 1), "minimum": minimum}
    return _Found(mean is None or mean >= minimum, shown)


def _on_disk(seen: _Seen) -> _Found:
    return _follows("on_disk", seen.followers.on_disk, seen.followers)


def _searched(seen: _Seen) -> _Found:
    return _follows("index", seen.followers.index, seen.followers)


def _follows(name: str, place: Place | None, followers: Followers) -> _Found:
    shown = {
        name: "none" if place is None else place.revision,
        "in_database": followers.database.revision,
    }
    return _Found(followers.is_current(place), shown)


_WARN = dg.AssetCheckSeverity.WARN
_CHECKS: Mapping[str, _Check] = {
    "every_tool_passes_its_own_checks": _Check(
        "The latest version of every tool passes the checks of a tool file.", _valid
    ),
    "no_two_tools_share_a_description": _Check(
        "Everybody can tell two tools apart by what they are for.", _told_apart, _WARN
    ),
    "every_tool_has_one_latest_version": _Check(
        "Every tool with an active version has exactly one latest version.", _one_latest
    ),
    "enough_tools_are_executable": _Check(
        "The share of tools with a binding reaches `minimum_executable_share`.", _executable, _WARN
    ),
    "tools_are_good_on_average": _Check(
        "The mean quality of tools reaches `minimum_mean_quality`.", _good, _WARN
    ),
    "snapshot_on_disk_is_current": _Check(
        "The snapshot on disk, which chains are planned by, has the revision of the database.",
        _on_disk,
    ),
    "search_index_is_current": _Check(
        "The search index has the revision of the database; else the next search waits for it.",
        _searched,
        _WARN,
    ),
}


@dg.multi_asset_check(
    name=CHECKS,
    specs=[
        dg.AssetCheckSpec(name, asset=CATALOGUE, description=check.description)
        for name, check in _CHECKS.items()
    ],
    can_subset=True,
)
def catalogue_checks(
    context: dg.AssetCheckExecutionContext, config: CatalogueThresholds, catalog: CatalogResource
) -> Iterator[dg.AssetCheckResult]:
    """Every check that is wanted, on one reading of the catalogue."""
    with catalog.open() as (opened, _):
        seen = _look(opened, config)
    wanted = {key.name for key in context.selected_asset_check_keys}
    for name, check in _CHECKS.items():
        if name in wanted:
            found = check.look(seen)
            yield dg.AssetCheckResult(
                asset_key=CATALOGUE,
                check_name=name,
                passed=found.passed,
                severity=check.severity,
                metadata=found.metadata,
            )


def _look(catalog: Catalog, thresholds: CatalogueThresholds) -> _Seen:
    # Followers first: whoever follows may be ahead of the snapshot read here, never behind it.
    followers = followers_of(catalog)
    return _Seen(
        catalog.store.snapshot(),
        followers,
        thresholds.minimum_mean_quality,
        thresholds.minimum_executable_share,
    )


def definitions() -> dg.Definitions:
    """The checks."""
    return dg.Definitions(asset_checks=[catalogue_checks])
