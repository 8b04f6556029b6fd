"""Questions about what is executed: a command, a call, a function."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import cast

from tool_catalog_pipelines.catalog.drafting import checks, lines
from tool_catalog_pipelines.catalog.drafting.question import PairsQuestion, Question, Situation
from tool_catalog_pipelines.spec.base import JsonValue

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_WITH_BODY = ("POST", "PUT", "PATCH")
_SECRETS = "A secret is written as ${secret:NAME}, never as its value."


def kind_is(*kinds: str) -> Callable[[Situation], bool]:
    """True after the answer that it is executed as one of these kinds."""
    return lambda now: now.text("kind") in kinds


def _has_body(now: Situation) -> bool:
    return now.text("kind") == "http" and now.text("method") in _WITH_BODY


def _is_remote(now: Situation) -> bool:
    return now.text("kind") == "command" and now.text("platform") == "windows"


def _as_list(value: JsonValue, now: Situation) -> str:
    """What will be executed, element by element, and whether its program is here."""
    elements = cast("list[JsonValue]", value)
    shown = f"as a list, without a shell: {json.dumps(elements, ensure_ascii=False)}"
    program = str(elements[0])
    is_here = "/" in program or now.known.has_program(program)
    missing = f"\nthe program {program} is not on this machine; the tool can be made, but not tried"
    return shown if is_here else shown + missing


def _body(text: str, now: Situation) -> JsonValue:
    del now
    return lines.read_json(text)


COMMAND_QUESTIONS = (
    Question(
        key="argv",
        text="Which command, with {name} where an input goes?",
        help="Type it as for a shell: df -k {path}. It is split into arguments and started without "
        "a shell, so pipes, $variables and * do nothing; quotes keep blanks together. {{ and }} "
        "are braces. A line that begins with [ is the list of arguments as JSON, with "
        f'{{"if": "name", "then": ["-n"]}} for arguments that depend on an input. {_SECRETS}',
        type="array",
        applies=kind_is("command"),
        read=lambda text, _: lines.read_argv(text),
        show=lines.shown_argv,
        check=checks.check_no_secret,
        echo=_as_list,
    ),
    Question(
        key="target",
        text="Over which connection is it executed?",
        help="Tools of another system are executed on the host of a connection of that name; '-' "
        "means this machine.",
        is_optional=True,
        applies=_is_remote,
        default=lambda _: "windows_host",
    ),
)
HTTP_QUESTIONS = (
    Question(
        key="method",
        text="Which method: GET, POST, ...?",
        help=f"One of {', '.join(METHODS)}.",
        applies=kind_is("http"),
        default=lambda _: "GET",
        read=lambda text, _: text.upper(),
        check=checks.one_of(METHODS, "method"),
    ),
    Question(
        key="url",
        text="Which address, with {name} where an input goes?",
        help="The address without its parameters, like {base_url}/api/items/{id}. With {base_url} "
        "as an input the tool can be tried against a server on this machine.",
        applies=kind_is("http"),
        check=checks.check_no_secret,
    ),
    PairsQuestion(
        key="query",
        text="Which parameters does the address have?",
        help="name=value pairs: limit={limit} format=json. A parameter that is one {input} is left "
        f"out when the input is not given. {_SECRETS}",
        is_optional=True,
        applies=kind_is("http"),
        check=checks.check_no_secret,
    ),
    PairsQuestion(
        key="headers",
        text="Which headers are sent?",
        help="Name=value pairs: Accept=application/json 'Authorization=Bearer ${secret:NAME}'. "
        f"{_SECRETS}",
        is_optional=True,
        applies=kind_is("http"),
        check=checks.check_no_secret,
    ),
    Question(
        key="body",
        text="Which JSON body is sent?",
        help='JSON, with "{name}" where an input goes: {"title": "{title}"}.',
        type=None,
        is_optional=True,
        applies=_has_body,
        read=_body,
        show=lambda value: json.dumps(value, ensure_ascii=False),
        check=checks.check_no_secret,
    ),
)


def python_questions(now: Situation) -> tuple[Question, ...]:
    """The function, among those that are registered, and what it gives."""
    functions = now.known.functions
    summaries = "\n".join(f"  {name}: {facts.summary}" for name, facts in functions.items())
    return (
        Question(
            key="function",
            text=f"Which function? {', '.join(functions)}",
            help="Functions are registered as entry points of the group "
            f"tool_catalog_pipelines.functions:\n{summaries}",
            applies=kind_is("python"),
            check=checks.check_function,
        ),
        PairsQuestion(
            key="outputs",
            text="What does it give, as name=type?",
            help="The fields of what the function returns: rows=array total=integer. Types: "
            "string, integer, number, boolean, array, object.",
            applies=kind_is("python"),
            check=checks.check_outputs,
            default=_known_outputs,
        ),
    )


def _known_outputs(now: Situation) -> JsonValue:
    """What a tool of the catalogue says of the same function."""
    facts = now.known.functions.get(now.text("function"))
    return dict(facts.outputs) if facts and facts.outputs else None
