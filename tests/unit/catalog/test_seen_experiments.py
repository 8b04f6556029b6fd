"""Which experiments run for a tenant."""

from __future__ import annotations

from dataclasses import replace

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
