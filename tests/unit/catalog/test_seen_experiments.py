"""Which experiments run for a tenant."""

from __future__ import annotations

from dataclasses import replace

import pytest
from factories import make_experiment, make_snapshot, make_tool


def test_own_experiments_hide_shared_ones_on_the_same_tool() -> None:
    shared = (make_experiment("shared"), make_experiment("other", tool="linux/grep"))
    own = (("acme", make_experiment("own", tool="echo")), ("other", make_experiment("theirs")))
    everything = replace(
        make_snapshot(make_tool(), experiments=shared), own_experiments=own, tenant="acme"
    )
    assert [spec.experiment for spec in everything.seen_experiments] == ["other", "own"]
    for_all = replace(everything, tenant="shared")
    assert [spec.experiment for spec in for_all.seen_experiments] == ["shared", "other"]


@pytest.mark.parametrize("status", ["draft", "completed", "cancelled"])
def test_an_own_experiment_that_does_not_run_hides_nothing(status: str) -> None:
    own = (("acme", make_experiment("own", status=status)),)
    snapshot = make_snapshot(make_tool(), experiments=[make_experiment("shared")])
    seen = replace(snapshot, own_experiments=own, tenant="acme").seen_experiments
    assert [spec.experiment for spec in seen] == ["shared", "own"]
