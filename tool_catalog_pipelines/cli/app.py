"""The `tool-catalog` program: commands, and how errors become messages and exit codes."""

from __future__ import annotations

import io
import sys

import typer

from tool_catalog_pipelines.cli import (
    catalog,
    catalog_change,
    catalog_files,
    catalog_many,
    catalog_update,
    chain,
    expression,
    new,
    search,
    select,
    selection,
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
app.add_typer(selection.app, name="selection", help="The parts of a selection, by themselves.")
catalog_files.register(app)
catalog.register(app)
catalog_change.register(app)
catalog_update.register(app)
catalog_many.register(app)
search.register(app)
expression.register(app)
select.register(app)
trial.register(app)
new.register(app)
validate.register(app)
serve.register(app)


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 it failed, 2 bad input or an unfit machine."""
    _let_every_text_be_printed()
    try:
        app()
    except InvalidInputError as error:
        Screen().problems(error.problems)
        sys.exit(2)
    except ToolCatalogError as error:
        Screen().failure(str(error))
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        Screen().failure(f"{where}{error.strerror or error}")
        sys.exit(1)
    except KeyboardInterrupt:
        Screen().failure("interrupted")
        sys.exit(130)


def _let_every_text_be_printed() -> None:
    """Show letters that the terminal's encoding lacks as escapes, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
