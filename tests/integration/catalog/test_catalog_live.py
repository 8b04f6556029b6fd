"""A change made anywhere is seen everywhere, and reading goes on when the database is away."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from factories import make_tool_spec

from tool_catalog_pipelines.catalog.connect import Catalog, open_catalog
from tool_catalog_pipelines.catalog.importer import import_catalog
from tool_catalog_pipelines.catalog.live import LiveCatalog
from tool_catalog_pipelines.catalog.reload_log import ReloadLog, counted
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.catalog.sources import installed_snapshot
from tool_catalog_pipelines.errors import DatabaseUnavailableError, NotFoundError
from tool_catalog_pipelines.settings import Settings, child_environment
from tool_catalog_pipelines.spec.base import parse_tool_ref as ref


def until(is_true: Callable[[], bool], deadline_s: float = 20.0) -> None:
    end = time.monotonic() + deadline_s
    while not is_true():
        assert time.monotonic() < end, "it never happened"
        threading.Event().wait(0.005)


def test_a_change_of_one_process_is_seen_by_another(catalog: Catalog, settings: Settings) -> None:
    elsewhere = replace(settings, home=settings.home / "other")
    with open_catalog(elsewhere) as other, other.followed() as live:
        catalog.editor.save_tool(make_tool_spec("linux/echo@1.0.0"), "test")
        until(lambda: "echo" in live.current().by_name)
        catalog.editor.disable(ref("linux/echo"), "test")
        until(lambda: not live.current().resolve(ref("echo")).header.is_usable)
        catalog.editor.delete(ref("linux/echo"), "test")
        until(lambda: "echo" not in live.current().by_name)
        assert live.history.statistics().reloads >= 3
        assert live.history.newest()[0].to_revision == live.current().revision
        until(lambda: installed_snapshot(elsewhere).revision == live.current().revision)


FOLLOWER = """
import time
from tool_catalog_pipelines.catalog.connect import open_catalog
from tool_catalog_pipelines.settings import load_settings
from tool_catalog_pipelines.spec.base import parse_tool_ref
with open_catalog(load_settings()) as catalog, catalog.followed() as live:
    seen = ""
    print("following", flush=True)
    while seen != "gone":
        named = live.current().by_name.get("echo")
        now = live.current().resolve(parse_tool_ref("echo")).label if named else "gone"
        if now != seen and (named or seen):
            print(now, flush=True)
            seen = now
        time.sleep(0.002)
"""


def test_another_process_sees_each_change_without_a_restart(
    catalog: Catalog, settings: Settings
) -> None:
    environment = {**os.environ, **child_environment(replace(settings, source="database"))}
    follower = subprocess.Popen(
        [sys.executable, "-c", FOLLOWER], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert follower.stdout is not None
    with follower:
        try:
            assert follower.stdout.readline() == "following\n"
            catalog.editor.save_tool(make_tool_spec("linux/echo@1.0.0"), "test")
            assert follower.stdout.readline() == "linux/echo@1.0.0\n"
            catalog.editor.update_tool(ref("echo"), {"owner": "ann"}, "test")
            assert follower.stdout.readline() == "linux/echo@1.0.1\n"
            catalog.editor.roll_back(ref("linux/echo@1.0.0"), "test")
            assert follower.stdout.readline() == "linux/echo@1.0.0\n"
            catalog.editor.delete(ref("linux/echo"), "test")
            assert follower.stdout.readline() == "gone\n"
            assert follower.wait(30) == 0
        finally:
            follower.kill()
    logged = ReloadLog(settings.reloads_path).newest(10)
    assert {one.process for one in logged} == {follower.pid}
    assert logged[0].reload.to_revision == catalog.store.snapshot().revision
    assert counted(logged).statistics().reloads == len(logged) >= 4


def test_following_change_by_change_ends_where_reading_anew_ends(catalog: Catalog) -> None:
    known = catalog.store.snapshot()
    for number in range(12):
        name = f"linux/echo{number % 3}"
        catalog.editor.save_tool(
            make_tool_spec(f"{name}@1.{number}.0", time_estimate_ms=str(number)), "test"
        )
        if number % 4 == 3:
            catalog.editor.roll_back(ref(f"{name}@1.{number - 3}.0"), "test")
        known = catalog.store.refreshed(known)
    anew = catalog.store.snapshot()
    assert states(known) == states(anew)
    assert known.revision == anew.revision
    assert catalog.store.refreshed(known) is known


def states(snapshot: CatalogSnapshot) -> list[tuple[object, bytes]]:
    found = [(tool.header, bytes(tool.raw)) for tool in snapshot.tools]
    return sorted(found, key=lambda pair: (*pair[0].key, pair[0].version))


def test_readers_go_on_from_disk_when_the_database_is_away(
    catalog: Catalog, settings: Settings
) -> None:
    catalog.editor.save_tool(make_tool_spec("linux/echo@1.0.0"), "test")
    away = threading.Event()

    def refresh(known: CatalogSnapshot) -> CatalogSnapshot:
        if away.is_set():
            raise DatabaseUnavailableError("gone")
        return catalog.store.refreshed(known)

    live = LiveCatalog(str(settings.database_url), catalog.seen(), refresh, poll_every_s=0.05)
    live.start()
    try:
        until(lambda: live.current().source == "database")
        away.set()
        until(lambda: live.current().source == "disk")
        assert live.current().resolve(ref("echo")).label == "linux/echo@1.0.0"
        catalog.editor.save_tool(make_tool_spec("linux/cat@1.0.0"), "test")
        away.clear()
        until(lambda: "cat" in live.current().by_name)
        assert live.current().source == "database"
        assert live.history.statistics().failures == 1
    finally:
        live.close()


def test_a_lost_connection_is_made_again(catalog: Catalog, settings: Settings) -> None:
    with catalog.followed() as live:
        until(lambda: listeners(catalog) == 1)
        with catalog.engine.begin() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE query LIKE 'LISTEN%%' AND datname = current_database()"
            )
        catalog.editor.save_tool(make_tool_spec("linux/echo@1.0.0"), "test")
        until(lambda: "echo" in live.current().by_name)


def listeners(catalog: Catalog) -> int:
    with catalog.engine.connect() as connection:
        return connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE query LIKE 'LISTEN%%' AND datname = current_database()"
        ).scalar_one()


@pytest.mark.parametrize("source", ["yaml", "dual", "database"])
def test_reading_is_the_same_from_files_and_from_the_database(
    settings: Settings, source: str
) -> None:
    write(settings.catalog_dir, "linux/echo@1.0.0")
    write(settings.catalog_dir, "linux/echo@1.1.0")
    write(settings.catalog_dir, "linux/cat@1.0.0")
    installed = replace(settings, source=source)
    with open_catalog(installed) as catalog:
        import_catalog(catalog)
        for snapshot in (installed_snapshot(installed), catalog.seen()):
            assert snapshot.resolve(ref("echo")).header.version == "1.1.0"
            assert snapshot.resolve(ref("linux/echo@stable")).header.version == "1.0.0"
            assert sorted(tool.label for tool in snapshot.latest) == [
                "linux/cat@1.0.0",
                "linux/echo@1.1.0",
            ]
            assert snapshot.resolve(ref("cat")).estimates["use", "run"].time_ms == "10"
            with pytest.raises(NotFoundError, match="did you mean linux/echo"):
                snapshot.resolve(ref("ecko"))


def test_dual_takes_from_files_what_the_database_lacks(settings: Settings) -> None:
    with open_catalog(settings) as catalog:
        catalog.editor.save_tool(make_tool_spec("linux/echo@2.0.0"), "test")
        write(settings.catalog_dir, "linux/echo@1.0.0")
        path = write(settings.catalog_dir, "linux/cat@1.0.0")
        both = catalog.seen()
        assert both.resolve(ref("echo")).header.version == "2.0.0"
        assert both.resolve(ref("cat")).tool_id is None
        assert len(both.seen) == 2
        only = replace(settings, source="database")
        with pytest.raises(NotFoundError):
            installed_snapshot(only).resolve(ref("cat"))
        path.unlink()
        with pytest.raises(NotFoundError):
            both.resolve(ref("cat"))


def write(folder: Path, at: str) -> Path:
    spec = make_tool_spec(at, tool={"description": f"This is {at}"})
    path = folder / "tools" / f"{spec.tool_name}.{spec.version}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    document = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    path.write_text(yaml.safe_dump(document))
    return path
