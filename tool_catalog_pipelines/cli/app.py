"""The `tool-catalog` program: commands, and how errors become messages and exit codes."""

from __future__ import annotations

import sys

import typer

from tool_catalog_pipelines.cli import (
    catalog,
    catalog_change,
    catalog_files,
    catalog_many,
    chain,
    search,
    serve,
    trial,
    validate,
)
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.errors import InvalidInputError, ToolCatalogError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A catalogue of tools that keeps its own estimates true.",
)
app.add_typer(chain.app, name="chain", help="Check, explain and run chains.")
catalog_files.register(app)
catalog.register(app)
catalog_change.register(app)
catalog_many.register(app)
search.register(app)
trial.register(app)
validate.register(app)
serve.register(app)


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 it failed, 2 bad input or an unfit machine."""
    try:
        app()
    except InvalidInputError as error:
        Screen().problems(error.problems)
        sys.exit(2)
    except ToolCatalogError as error:
        Screen().err.print(f"tool-catalog: {error}", style="red", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        Screen().err.print("tool-catalog: interrupted", markup=False)
        sys.exit(130)


if __name__ == "__main__":
    main()
