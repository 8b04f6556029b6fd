"""What is executed: a command, a Python function or an HTTP call, and how its output is read.

Only the shapes are here; rules across their fields are in check_binding.py, and execution/ knows
how each is executed.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tool_catalog_pipelines.spec.base import Identifier, JsonValue, Name, SpecModel, Text


class IfArgument(SpecModel):
    """Arguments that are present only if an input is given (and is not false)."""

    if_: Identifier = Field(alias="if")
    then: tuple[str, ...]
    else_: tuple[str, ...] = Field(default=(), alias="else")


class ParserSpec(SpecModel):
    """How standard output becomes the output object `{as: value}`.

    Parsers: `jc` (with `name` of the jc parser), `text` (string), `lines` (list of strings),
    `json`, `regex` (`pattern` with named groups, one object per matching line), `none` (nothing).
    """

    parser: Literal["jc", "text", "lines", "json", "regex", "none"]
    name: str | None = None
    as_: Identifier = Field(default="result", alias="as")
    pattern: str | None = None


class ExitCodes(SpecModel):
    """Meaning of exit codes; a code in no list is a failure."""

    success: tuple[int, ...] = (0,)
    no_result: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    transient: tuple[int, ...] = ()


class CommandBinding(SpecModel):
    """A command: an argv list with typed placeholders `{input}`, no shell.

    A placeholder that is a whole argument and holds an array becomes one argument per element.
    Without `target` the command runs on this machine, with it on the host of that connection.
    """

    kind: Literal["command"]
    target: Identifier | None = None
    argv: tuple[str | IfArgument, ...] = Field(min_length=1)
    output: ParserSpec
    exit_codes: ExitCodes = ExitCodes()
    stdin: str | None = None
    env: dict[str, str] = {}
    cwd: str | None = None
    max_output_bytes: int = Field(default=8_388_608, ge=1, le=1_073_741_824)


class PythonBinding(SpecModel):
    """A registered Python function (entry point group `tool_catalog_pipelines.functions`)."""

    kind: Literal["python"]
    function: Name


class HttpBinding(SpecModel):
    """One HTTP call. Texts hold typed placeholders `{input}`, as in a command.

    A query parameter or header whose text is one placeholder is left out when that input is not
    given. `body` is sent as JSON; a text in it that is one placeholder becomes the input's value.
    """

    kind: Literal["http"]
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    url: Text
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    body: JsonValue = None
    output: ParserSpec = ParserSpec(parser="json")
    success_statuses: tuple[int, ...] = (200, 201, 202, 203, 204, 206)
    no_result_statuses: tuple[int, ...] = ()
    transient_statuses: tuple[int, ...] = (408, 425, 429, 500, 502, 503, 504)
    max_output_bytes: int = Field(default=8_388_608, ge=1, le=1_073_741_824)


Binding = Annotated[CommandBinding | PythonBinding | HttpBinding, Field(discriminator="kind")]
