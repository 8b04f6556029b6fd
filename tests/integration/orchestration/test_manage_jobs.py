"""Tools managed from the Dagster UI: what each job does, whom it names, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.execution.api import create_execution_plan
from factories import make_tool_spec

from tool_catalog_pipelines.catalog.connect import Catalog, open_catalog
from tool_catalog_pipelines.catalog.export import exported_text
from tool_catalog_pipelines.catalog.history import AuditQuery, entries
from tool_catalog_pipelines.catalog.importer import import_catalog
from tool_catalog_pipelines.defs import manage
from tool_catalog_pipelines.defs.build import build_definitions
from tool_catalog_pipelines.orchestration.chains import find_chains
from tool_catalog_pipelines.orchestration.naming import OWN_JOBS, TAG_USER
from tool_catalog_pipelines.settings import Settings, child_environment
from tool_catalog_pipelines.spec.base import parse_tool_ref

JOBS = {job.name: job for job in manage.definitions().jobs or ()}


@pytest.fixture
def catalog(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalog]:
    """A catalogue with two versions of one tool, named in the environment as a run expects."""
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    with open_catalog(settings) as opened:
        for version in ("1.0.0", "1.1.0"):
            described = {"description": f"Says hello as version {version} of it does"}
            spec = make_tool_spec(f"linux/echo@{version}", tool=described)
            opened.editor.save_tool(spec, "a test")
        opened.publish()
        yield opened


def launch(
    job: str, config: Mapping[str, Any], tags: Mapping[str, str] | None = None
) -> dg.ExecuteInProcessResult:
    return JOBS[job].execute_in_process(
        run_config=dict(config), tags=dict(tags or {}), raise_on_error=False
    )


def shown(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    """The metadata of the only output."""
    assert result.success, [event.message for event in result.get_step_failure_events()]
    (event,) = [e for e in result.all_events if e.event_type_value == "STEP_OUTPUT"]
    return {name: value.value for name, value in event.step_output_data.metadata.items()}


def failure(result: dg.ExecuteInProcessResult) -> tuple[str, Mapping[str, Any]]:
    assert not result.success
    (event,) = result.get_step_failure_events()
    failed = event.step_failure_data.user_failure_data
    assert failed is not None, event.step_failure_data.error_display_string
    return failed.description or "", {k: v.value for k, v in failed.metadata.items()}


def audited(catalog: Catalog, result: dg.ExecuteInProcessResult) -> list[Mapping[str, Any]]:
    """Entries of the audit log that a run has made, newest first."""
    query = AuditQuery("shared", text=result.run_id)
    with catalog.store.reading() as connection:
        return list(entries(connection, query))


def write_tool(folder: Path, ref: str, **more: Any) -> Path:
    spec = make_tool_spec(ref, **more)
    path = folder / f"{spec.tool_name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(exported_text(spec), encoding="utf-8")
    return path


def test_the_location_loads_without_a_database_and_its_jobs_are_known(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none")
    repository = build_definitions(nowhere).get_repository_def()
    names = {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")}
    assert names == OWN_JOBS


def test_a_chain_cannot_take_the_name_of_one_of_our_jobs(
    catalog: Catalog, settings: Settings
) -> None:
    folder = settings.home / "chains"
    folder.mkdir()
    steps = "version: 1.0.0\ndescription: Says hello\nsteps: {hello: {tool: linux/echo}}\n"
    (folder / "taken.yaml").write_text(f"chain: enable_tool\n{steps}", encoding="utf-8")
    (folder / "free.yaml").write_text(f"chain: free\n{steps}", encoding="utf-8")
    found = find_chains(settings)
    assert [plan.chain for plan in found.plans] == ["free"]
    assert "has the name of a job of the catalogue itself" in str(found.problems[0])
    assert build_definitions(settings).resolve_job_def("enable_tool").description == (
        JOBS["enable_tool"].description
    )


def test_disabling_and_enabling_a_tool(catalog: Catalog) -> None:
    result = launch("disable_tool", {"tool": "linux/ECHO", "reason": "it is | too slow"})
    seen = shown(result)
    assert seen["versions"] == "linux/echo@1.0.0, linux/echo@1.1.0"
    assert "| enabled: true -\\> false | tester | it is \\| too slow |" in seen["changes"]
    latest = catalog.store.find(parse_tool_ref("linux/echo"))
    assert not latest.header.enabled
    (one, two) = audited(catalog, result)
    assert {one["entity_key"], two["entity_key"]} == {"linux/echo@1.0.0", "linux/echo@1.1.0"}
    assert one["origin"] == f"dagster job disable_tool, run {result.run_id}"
    assert (one["changed_by"], one["reason"]) == ("tester", "it is | too slow")

    result = launch("enable_tool", {"tool": "echo@1.1"})
    assert result.output_for_node("enable")["versions"] == ["linux/echo@1.1.0"]
    assert catalog.store.find(parse_tool_ref("linux/echo@1.1.0")).header.enabled
    assert not catalog.store.find(parse_tool_ref("linux/echo@1.0.0")).header.enabled
    assert [entry["action"] for entry in audited(catalog, result)] == ["enabled"]


def test_what_is_so_already_is_said(catalog: Catalog) -> None:
    result = launch("enable_tool", {"tool": "linux/echo"})
    assert shown(result)["changes"] == "Nothing changed: it was so already."
    assert result.output_for_node("enable")["changed"] is False
    assert audited(catalog, result) == []


def test_the_person_who_started_the_run_is_named_if_its_tag_says_who(catalog: Catalog) -> None:
    result = launch("disable_tool", {"tool": "linux/echo@1.0.0"}, {TAG_USER: "jane"})
    assert [entry["changed_by"] for entry in audited(catalog, result)] == ["jane"]


def test_promoting_a_version(catalog: Catalog) -> None:
    result = launch("promote_tool", {"tool": "linux/echo", "reason": "proven"})
    assert 'stable: "1.0.0" -\\> "1.1.0"' in shown(result)["changes"]
    assert catalog.store.find(parse_tool_ref("linux/echo@stable")).header.version == "1.1.0"
    (entry,) = audited(catalog, result)
    assert (entry["action"], entry["reason"]) == ("promoted", "proven")
    launch("promote_tool", {"tool": "linux/echo@1.0.0", "channel": "testing"})
    assert catalog.store.find(parse_tool_ref("linux/echo@testing")).header.version == "1.0.0"


def test_rolling_back(catalog: Catalog) -> None:
    result = launch("roll_back_tool", {"tool": "linux/echo@1.0", "reason": "1.1.0 is wrong"})
    assert shown(result)["versions"] == "linux/echo@1.0.0"
    assert catalog.store.find(parse_tool_ref("linux/echo")).header.version == "1.0.0"
    assert [entry["action"] for entry in audited(catalog, result)] == ["rolled_back"]


@pytest.mark.parametrize(
    ("job", "tool", "said"),
    [
        ("enable_tool", "linux/ecko", "there is no tool linux/ecko"),
        ("disable_tool", "linux/echo@7.0.0", "linux/echo has no version or channel '7.0.0'"),
        ("promote_tool", "windows/echo", "there is no tool windows/echo"),
        ("roll_back_tool", "linux/nothing@1.0.0", "there is no tool linux/nothing@1.0.0"),
    ],
)
def test_a_tool_that_does_not_exist_fails_the_run_in_plain_words(
    catalog: Catalog, job: str, tool: str, said: str
) -> None:
    result = launch(job, {"tool": tool})
    description, _ = failure(result)
    assert description.startswith(said)
    assert "Traceback" not in description
    assert audited(catalog, result) == []


def test_a_version_that_may_not_be_promoted_fails_in_plain_words(catalog: Catalog) -> None:
    launch("disable_tool", {"tool": "linux/echo@1.1.0"})
    description, _ = failure(launch("promote_tool", {"tool": "linux/echo@1.1.0"}))
    assert description.startswith("linux/echo@1.1.0 is disabled and cannot be stable")


def test_a_database_that_is_away_fails_the_run_in_plain_words(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TOOL_CATALOG_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    description, _ = failure(launch("disable_tool", {"tool": "linux/echo"}))
    assert "PostgreSQL" in description
    assert "Traceback" not in description


def test_importing_the_yaml_folder(catalog: Catalog, settings: Settings) -> None:
    write_tool(settings.catalog_dir / "tools", "linux/first@1.0.0")
    write_tool(settings.catalog_dir / "tools", "linux/second@1.0.0")
    result = launch("import_catalogue", {})
    assert "linux/first@1.0.0" in shown(result)["imported"]
    assert "| imported | 2 |" in shown(result)["report"]
    assert shown(result)["summary"] == (
        "2 imported, 0 unchanged, 0 conflicts, 0 refused, 0 coerced"
    )
    assert catalog.store.find(parse_tool_ref("linux/second")).header.version == "1.0.0"
    assert {entry["entity_key"] for entry in audited(catalog, result)} == {
        "linux/first@1.0.0",
        "linux/second@1.0.0",
    }
    again = launch("import_catalogue", {})
    assert "| unchanged | 2 |" in shown(again)["report"]
    assert audited(catalog, again) == []


def test_a_dry_run_changes_nothing(catalog: Catalog, home: Path) -> None:
    path = write_tool(home / "more", "linux/third@1.0.0")
    result = launch("import_catalogue", {"path": str(path), "dry_run": True})
    assert shown(result)["dry_run"] is True
    assert "linux/third@1.0.0" in shown(result)["imported"]
    assert audited(catalog, result) == []
    assert "linux/third@1.0.0" not in {tool.label for tool in catalog.store.snapshot().tools}


def test_a_refused_file_fails_the_run_and_the_others_are_imported(
    catalog: Catalog, home: Path
) -> None:
    write_tool(home / "more", "linux/good@1.0.0")
    (home / "more" / "bad.yaml").write_text("tool_name: bad\nplatform: moon\n", encoding="utf-8")
    result = launch("import_catalogue", {"path": str(home / "more")})
    description, metadata = failure(result)
    assert description.startswith("1 files were refused, everything else was imported:\nbad.yaml:")
    assert "linux/good@1.0.0" in metadata["imported"]
    assert "bad.yaml" in metadata["refused"]
    assert [entry["entity_key"] for entry in audited(catalog, result)] == ["linux/good@1.0.0"]


@pytest.mark.parametrize(
    ("rule", "version"), [("new_version", "1.0.1"), ("skip", "1.0.0"), ("fail", "1.0.0")]
)
def test_conflicts_are_decided_as_the_form_says(
    catalog: Catalog, home: Path, rule: str, version: str
) -> None:
    write_tool(home / "more", "linux/fourth@1.0.0")
    import_catalog(catalog, home / "more")
    write_tool(home / "more", "linux/fourth@1.0.0", tool={"description": "Another tool entirely"})
    result = launch("import_catalogue", {"path": str(home / "more"), "on_conflict": rule})
    assert result.success is (rule != "fail")
    assert catalog.store.find(parse_tool_ref("linux/fourth")).header.version == version


def test_exporting_to_a_folder(catalog: Catalog, home: Path, settings: Settings) -> None:
    catalog.editor.save_tool(make_tool_spec("windows/dir@1.0.0"), "a test")
    result = launch("export_catalogue", {"folder": str(home / "out"), "platform": "linux"})
    assert shown(result)["tools"] == 1
    (file,) = (home / "out").rglob("*.yaml")
    assert yaml.safe_load(file.read_text())["version"] == "1.1.0"
    launch("export_catalogue", {"folder": str(home / "all"), "every_version": True})
    assert len(list((home / "all").rglob("*.yaml"))) == 3
    launch("export_catalogue", {"tools": ["linux/echo@1.0.0"]})
    (file,) = (settings.home / "exports").rglob("*.yaml")
    assert file.name == "echo.1.0.0.yaml"


def test_an_export_of_nothing_fails(catalog: Catalog, home: Path) -> None:
    config = {"folder": str(home / "out"), "category": "cloud"}
    description, _ = failure(launch("export_catalogue", config))
    assert description.startswith("no tool fits, so nothing was written")
    assert not (home / "out").exists()


@pytest.mark.parametrize(
    ("job", "config", "said"),
    [
        ("disable_tool", {}, 'Missing required config entry "tool"'),
        ("disable_tool", {"tool": "linux/echo", "why": "x"}, '"why"'),
        ("disable_tool", {"tool": 7}, 'type "String"'),
        ("disable_tool", {"tool": {"env": "HOME"}}, 'type "String"'),
        ("enable_tool", {"tool": "linux/echo", "reason": None}, "must not be None"),
        ("disable_tool", {"tool": "lin ux/echo"}, "is not a tool reference"),
        ("disable_tool", {"tool": "moon/echo"}, "there is no platform 'moon'"),
        ("disable_tool", {"tool": ""}, "is not a tool reference"),
        ("disable_tool", {"tool": "linux/echo@soon"}, "neither a version such as 1.2.0"),
        ("disable_tool", {"tool": "linux/echo; rm -rf /"}, "is not a tool reference"),
        ("enable_tool", {"tool": "linux/echo", "reason": "two\nlines"}, "one line of text"),
        ("enable_tool", {"tool": "linux/echo", "reason": "x" * 501}, "500 at most"),
        ("enable_tool", {"tool": "linux/echo", "reason": "nul\0"}, "control character"),
        ("promote_tool", {"tool": "linux/echo", "channel": "latest"}, "latest"),
        ("roll_back_tool", {"tool": "linux/echo"}, "to which version? write linux/echo@VERSION"),
        ("import_catalogue", {"path": "relative/folder"}, "is not absolute"),
        ("import_catalogue", {"path": "/no/such/folder"}, "there is no file or folder"),
        ("import_catalogue", {"path": "~nobody_here/x"}, "a user who does not exist"),
        ("import_catalogue", {"on_conflict": "overwrite"}, "overwrite"),
        ("import_catalogue", {"dry_run": "perhaps"}, "perhaps"),
        ("export_catalogue", {"folder": "/dev/null"}, "/dev/null is no folder"),
        ("export_catalogue", {"platform": "moon"}, "moon"),
        ("export_catalogue", {"tools": ["linux/echo", "a b"]}, "tools.1: 'a b' is not"),
        (
            "export_catalogue",
            {"tools": ["linux/echo"], "every_version": True},
            "exported in one version",
        ),
    ],
)
def test_a_wrong_form_is_refused_before_the_run(
    job: str, config: dict[str, Any], said: str
) -> None:
    # What Dagster does at a launch, before a run exists; no database is there to be asked.
    with pytest.raises(dg.DagsterInvalidConfigError) as refused:
        create_execution_plan(JOBS[job], config)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"minimum_mean_quality": 101}, "less than or equal to 100"),
        ({"minimum_executable_share": -1}, "greater than or equal to 0"),
        ({"minimum_quality": 1}, "minimum_quality"),
    ],
)
def test_wrong_thresholds_are_refused_before_the_run(
    settings: Settings, config: dict[str, Any], said: str
) -> None:
    job = build_definitions(settings).resolve_job_def("catalog_import")
    create_execution_plan(job, {"minimum_mean_quality": 50})
    with pytest.raises(dg.DagsterInvalidConfigError) as refused:
        create_execution_plan(job, config)
    assert said in str(refused.value)


def test_every_problem_of_a_form_is_said_at_once() -> None:
    with pytest.raises(dg.DagsterInvalidConfigError) as refused:
        create_execution_plan(JOBS["disable_tool"], {"tool": "a b", "reason": "x\0"})
    assert "- tool: " in str(refused.value)
    assert "- reason: " in str(refused.value)
