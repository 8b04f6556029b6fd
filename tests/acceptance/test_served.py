"""What `make run` serves, looked at as a person does: in a browser, and through the launchpad.

One installation for all of these tests, in whichever workers they run: the first that needs it
starts it, the demonstration runs, the servers stay up, and the last worker ends it.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import psutil
import psycopg
import pytest
from playwright.sync_api import Page, sync_playwright

from tool_catalog_pipelines.db.server import acquire_database
from tool_catalog_pipelines.settings import CHECKOUT, load_settings

pytestmark = pytest.mark.timeout(600)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
STEPS = ("disks", "memory", "processes", "sockets", "report")


def until(find: Callable[[], Any], deadline_s: float = 60.0) -> Any:
    end = time.monotonic() + deadline_s
    while not (found := find()):
        assert time.monotonic() < end, "it never happened"
        threading.Event().wait(0.1)
    return found


@dataclass
class Served:
    home: Path
    environment: Mapping[str, str]
    address: str
    pid: int

    def ask(self, query: str, **variables: Any) -> Any:
        """The answer of the web server to a GraphQL query."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.address}/graphql", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                answer = json.load(reply)
        except urllib.error.HTTPError as error:  # the answer of Dagster to an error of Python
            with error:
                answer = json.load(error)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def again(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, "up"],
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


PROGRAM = (sys.executable, "-m", "tool_catalog_pipelines.cli.app")


def processes_of(home: Path) -> list[psutil.Process]:
    """Everything that runs for this installation, found by its environment."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TOOL_CATALOG_HOME") == str(home):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def start(home: Path, *arguments: str) -> Served:
    """Start it with a process of its own as parent, so that any worker may end it."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TOOL_CATALOG_D")}
    environment["TOOL_CATALOG_HOME"] = str(home)
    log = home.with_suffix(".log")
    script = 'log=$1; shift; "$@" >"$log" 2>&1 & echo $!'
    started = subprocess.run(
        ["sh", "-c", script, "sh", str(log), *PROGRAM, "up", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    pid = int(started.stdout)

    def address() -> re.Match[str] | None:
        assert psutil.pid_exists(pid), log.read_text()
        return re.search(r"Dagster UI: (http://127\.0\.0\.1:\d+)", log.read_text())

    return Served(home, environment, until(address, 240)[1], pid)


def end(served: Served, number: int) -> None:
    """End it by a signal; nothing of it may stay."""
    os.kill(served.pid, number)
    until(lambda: not processes_of(served.home))


@pytest.fixture(scope="session")
def served(test_root: Path) -> Iterator[Served]:
    home = test_root / "served"
    with users(home) as count:
        if count.add(1) == 1:
            running = start(home)
            count.keep(running.pid, running.address)
        pid, address = count.kept()
    shared = Served(home, {**os.environ, "TOOL_CATALOG_HOME": str(home)}, address, pid)
    yield shared
    with users(home) as count:
        if count.add(-1) == 0:
            end(shared, signal.SIGINT)
            shutil.rmtree(home, ignore_errors=True)


class Users:
    """How many workers use the installation, and where it is; kept in a locked file."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._state = json.loads(file.read() or '{"count": 0, "kept": [0, ""]}')

    def add(self, change: int) -> int:
        self._state["count"] += change
        self._write()
        return self._state["count"]

    def keep(self, pid: int, address: str) -> None:
        self._state["kept"] = [pid, address]
        self._write()

    def kept(self) -> tuple[int, str]:
        pid, address = self._state["kept"]
        assert address, "the installation did not start"
        return pid, address

    def _write(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._file.write(json.dumps(self._state))
        self._file.flush()


@contextmanager
def users(home: Path) -> Iterator[Users]:
    with home.with_suffix(".users").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        yield Users(file)


@pytest.fixture
def page(served: Served) -> Iterator[Page]:
    """An empty page of a browser; errors that the page reports fail the test."""
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium on this machine; install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        made = browser.new_page(viewport={"width": 1600, "height": 1000}, base_url=served.address)
        made.set_default_timeout(60_000)
        wrong: list[str] = []
        made.on("pageerror", lambda error: wrong.append(str(error)))
        yield made
        browser.close()
        assert wrong == []


def test_the_browser_shows_the_graph_of_host_health(page: Page) -> None:
    page.goto("/locations/tool_catalog_pipelines/jobs/host_health")
    for step in STEPS:
        page.get_by_text(step, exact=True).first.wait_for()


def test_the_browser_shows_a_successful_run_with_what_it_cost(page: Page, served: Served) -> None:
    found = served.ask(
        '{runsOrError(filter: {pipelineName: "host_health", statuses: [SUCCESS]}, limit: 1)'
        "{... on Runs {results {runId}}}}"
    )
    run_id = found["runsOrError"]["results"][0]["runId"]
    page.goto(f"/runs/{run_id}")
    page.get_by_text("Success").first.wait_for()
    page.get_by_placeholder("Filter").first.fill("step:disks")
    page.get_by_text("tool_catalog/exit_code").first.wait_for()
    page.get_by_text(re.compile(r"actual .* ms, estimate .* ms")).first.wait_for()


def test_the_browser_shows_the_asset_graph(page: Page) -> None:
    page.goto("/asset-groups")
    for group in ("catalog", "telemetry", "marts", "judgement"):
        page.get_by_text(group, exact=True).first.wait_for()


def test_a_plot_opens_and_is_drawn(page: Page) -> None:
    page.goto("/assets/judgement/experiment_verdicts")
    page.get_by_role("button", name=re.compile("Show Markdown")).or_(
        page.get_by_text(re.compile(r"\[Show Markdown\]"))
    ).first.click()
    picture = page.locator("img[src^='data:image']").first
    picture.wait_for()
    assert picture.evaluate("element => element.naturalWidth") > 300


def test_a_second_start_prints_the_address(served: Served) -> None:
    again = served.again()
    assert again.returncode == 0
    assert served.address in again.stdout


SELECTOR = {
    "repositoryName": "__repository__",
    "repositoryLocationName": "tool_catalog_pipelines",
    "pipelineName": "host_health",
}
LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { message }
  }
}
"""


def launched(served: Served, config: Mapping[str, Any], job: str = "host_health") -> Any:
    selector = {**SELECTOR, "pipelineName": job}
    params = {"selector": selector, "runConfigData": config, "mode": "default"}
    return served.ask(LAUNCH, params=params)["launchRun"]


def finished(served: Served, run_id: str) -> str:
    query = "query ($id: ID!) {runOrError(runId: $id) {... on Run {status}}}"

    def status() -> str | None:
        found = served.ask(query, id=run_id)["runOrError"]["status"]
        return found if found in ("SUCCESS", "FAILURE", "CANCELED") else None

    return until(status, 200)


@pytest.mark.parametrize("executor", [None, "threads", "in_process", "multiprocess"])
def test_a_run_launched_from_the_ui_ends_with_every_fact(
    served: Served, executor: str | None
) -> None:
    config: dict[str, Any] = {"inputs": {}}
    if executor is not None:
        config["execution"] = {executor: {}}
    answer = launched(served, config)
    assert answer["__typename"] == "LaunchRunSuccess", answer
    run_id = answer["run"]["runId"]
    assert finished(served, run_id) == "SUCCESS"
    settings = load_settings(served.environment)
    facts = "SELECT step, count(*) FROM tool_catalog.tool_telemetry WHERE run_id = %s GROUP BY 1"
    with acquire_database(settings) as database, psycopg.connect(database.libpq_url) as connection:
        counted = dict(connection.execute(facts, (run_id,)).fetchall())
    assert set(counted) >= {"disks", "memory", "processes", "sockets"}
    assert set(counted.values()) == {1}


def test_an_unknown_input_is_refused_by_the_launchpad(served: Served) -> None:
    answer = launched(served, {"inputs": {"treshold_percent": 50}})
    assert answer["__typename"] == "RunConfigValidationInvalid", answer
    assert "treshold_percent" in answer["errors"][0]["message"]


def test_a_value_out_of_range_is_refused_before_the_run(served: Served) -> None:
    answer = launched(served, {"inputs": {"threshold_percent": 400}})
    assert "DagsterInvalidConfigError" in answer["message"], answer
    assert "the input 'threshold_percent'" in answer["message"]


@pytest.mark.parametrize(
    ("job", "config", "kind", "said"),
    [
        ("disable_tool", {"tool": "linux/date", "why": "x"}, "RunConfigValidationInvalid", "why"),
        ("disable_tool", {"tool": ["linux/date"]}, "RunConfigValidationInvalid", "tool"),
        ("disable_tool", {"tool": {"env": "HOME"}}, "RunConfigValidationInvalid", "tool"),
        ("disable_tool", {"tool": "a b"}, "PythonError", "'a b' is not a tool reference"),
        ("promote_tool", {"tool": "linux/date@soon"}, "PythonError", "neither a version"),
        ("promote_tool", {"tool": "x", "channel": "y"}, "RunConfigValidationInvalid", "channel"),
        ("roll_back_tool", {"tool": "linux/date"}, "PythonError", "to which version?"),
        ("import_catalogue", {"path": "/no/such"}, "PythonError", "no file or folder /no/such"),
        ("export_catalogue", {"folder": "here"}, "PythonError", "'here' is not absolute"),
        ("catalog_import", {"minimum_mean_quality": 101}, "PythonError", "less than or equal"),
    ],
)
def test_a_wrong_form_starts_no_run(
    served: Served, job: str, config: dict[str, Any], kind: str, said: str
) -> None:
    answer = launched(served, config, job)
    assert answer["__typename"] == kind, answer
    assert said in (answer.get("message") or answer["errors"][0]["message"])
    if kind == "PythonError":
        assert f"DagsterInvalidConfigError: {job} was not started:" in answer["message"]


def test_a_tool_is_switched_off_and_on_from_the_ui(served: Served) -> None:
    state = (
        "SELECT enabled FROM tool_catalog.tools WHERE (platform, tool_name) = ('linux', 'nproc')"
    )
    log = "SELECT action, reason FROM tool_catalog.tool_audit_log WHERE origin = %s"
    settings = load_settings(served.environment)
    seen: list[Any] = []
    for job in ("disable_tool", "enable_tool"):
        answer = launched(served, {"tool": "linux/nproc", "reason": "a try"}, job)
        assert answer["__typename"] == "LaunchRunSuccess", answer
        run_id = answer["run"]["runId"]
        assert finished(served, run_id) == "SUCCESS"
        with acquire_database(settings) as database, psycopg.connect(database.libpq_url) as asked:
            enabled = {row[0] for row in asked.execute(state)}
            said = asked.execute(log, (f"dagster job {job}, run {run_id}",)).fetchall()
        seen.append((enabled, said))
    assert seen == [({False}, [("disabled", "a try")]), ({True}, [("enabled", "a try")])]


def test_the_launchpad_of_a_job_says_what_it_asks(page: Page) -> None:
    page.goto("/locations/tool_catalog_pipelines/jobs/promote_tool/playground")
    for text in ("The channel that moves.", "stable | testing", "Why; kept in the audit log."):
        page.get_by_text(text).first.wait_for()


def test_the_catalogue_shows_its_counts_and_its_quality_is_drawn(
    page: Page, served: Served
) -> None:
    answer = launched(served, {}, "catalog_import")
    assert finished(served, answer["run"]["runId"]) == "SUCCESS"
    page.goto("/assets/catalog/catalogue")
    for name in ("by_platform", "by_category", "by_status", "worst_tools", "changed_since"):
        page.get_by_text(name, exact=True).first.wait_for()
    row = page.locator("tr", has_text="quality_plot").last
    row.get_by_text(re.compile(r"\[Show Markdown\]")).click()
    picture = page.locator("img[src^='data:image']").first
    picture.wait_for()
    assert picture.evaluate("element => element.naturalWidth") > 300


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_it_leaves_no_process(test_root: Path, number: int) -> None:
    home = test_root / f"ended{number}"
    running = start(home, "--skip-demo")
    assert len(processes_of(home)) > 3
    end(running, number)
    shutil.rmtree(home, ignore_errors=True)


def test_the_checkout_names_the_location() -> None:
    assert "location_name: tool_catalog_pipelines" in (CHECKOUT / "workspace.yaml").read_text()
