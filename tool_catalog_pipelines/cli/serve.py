"""`tool-catalog up`, `demo`, `doctor`: starting an installation, showing it, examining it."""

from __future__ import annotations

import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from tool_catalog_pipelines.cli.options import JsonOption
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.errors import TerminalError
from tool_catalog_pipelines.settings import Settings, load_settings

if TYPE_CHECKING:
    from tool_catalog_pipelines.cli.servers import Served


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(up)
    app.command()(demo)
    app.command()(doctor)


def up(
    skip_demo: Annotated[
        bool, typer.Option("--skip-demo", help="Serve at once, without the demonstration.")
    ] = False,
) -> None:
    """Start everything, run the demonstration, then serve the Dagster UI until Ctrl-C."""
    from tool_catalog_pipelines.cli.demo import run_demo
    from tool_catalog_pipelines.cli.servers import only_server
    from tool_catalog_pipelines.cli.starting import brought_up
    from tool_catalog_pipelines.db.server import wait_until_stopped

    settings = load_settings()
    screen = Screen()
    with only_server(settings) as other:
        if other is not None:
            screen.say(f"already running for this home: {other}")
            return
        with _terminated_like_interrupted():
            with brought_up(settings, screen) as catalog:
                if not skip_demo:
                    run_demo(catalog, settings, screen)
                _serve_until_interrupted(settings, screen)
            if settings.database_url is None:
                with screen.phase("stop the database"):
                    wait_until_stopped(settings, timeout_s=30)


def _serve_until_interrupted(settings: Settings, screen: Screen) -> None:
    """Serve until Ctrl-C or SIGTERM; a server that ends by itself is a failure."""
    from tool_catalog_pipelines.cli.servers import FIRST_PORT, serve
    from tool_catalog_pipelines.orchestration.instance import open_instance

    screen.say("- start the Dagster UI and daemon ...")
    # Its home and tables have to be there before two servers look for them at once.
    with open_instance(settings):
        pass
    with serve(settings) as served:
        if not served.address.endswith(f":{FIRST_PORT}"):
            screen.say(f"  port {FIRST_PORT} is taken; using the next free one")
        screen.say(f"\nDagster UI: {served.address}   (Ctrl-C stops everything)", "bold")
        try:
            _watch(served, settings)
        except KeyboardInterrupt:
            screen.say("\nstopping ...")


def _watch(served: Served, settings: Settings) -> None:
    while True:
        ended = served.first_ended()
        if ended is not None:
            raise TerminalError(
                f"a Dagster server ended with code {ended}; its log is in {settings.home / 'logs'}"
            )
        time.sleep(0.5)


@contextmanager
def _terminated_like_interrupted() -> Generator[None]:
    """SIGTERM unwinds like Ctrl-C does, so that everything started is ended in order."""

    def on_terminate(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    # A shell that starts us in the background hands down an ignored SIGINT.
    handlers = {signal.SIGTERM: on_terminate, signal.SIGINT: signal.default_int_handler}
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def demo() -> None:
    """Run the demonstration: a chain, a trial of two versions, the judgements; then exit."""
    from tool_catalog_pipelines.cli.demo import run_demo
    from tool_catalog_pipelines.cli.starting import brought_up

    settings = load_settings()
    screen = Screen()
    with brought_up(settings, screen) as catalog:
        run_demo(catalog, settings, screen)
    screen.say("  next       make run serves these runs; README.md leads to a tool of your own")


def doctor(as_json: JsonOption = False) -> None:
    """Say what works on this machine, and why the rest does not."""
    from tool_catalog_pipelines.cli.doctor import examine

    screen = Screen(as_json)
    findings = examine(load_settings())
    rows = [{"what": f.what, "state": f.state, "why": f.why} for f in findings]
    screen.result({"findings": rows})
    if not as_json:
        screen.table("", rows)
    if any(f.state == "broken" for f in findings):
        raise typer.Exit(1)
