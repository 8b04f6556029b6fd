"""Proposals for tools: programs of this machine whose output the library jc can parse.

A proposal is a draft: the command without arguments, its parser, and nothing that nobody knows. A
person reads it, adds inputs and effects, and imports it. Does not belong here: writing files.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from tool_catalog_pipelines.spec.load import tool_from_value
from tool_catalog_pipelines.spec.tool import ToolSpec

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")

FindProgram = Callable[[str], str | None]


def discovered(find: FindProgram | None = None) -> tuple[ToolSpec, ...]:
    """A proposal for every parser of which the program is here, sorted by name.

    Args:
        find: the path of a program, or None; by default it is looked for where commands are.
    """
    look = find or _on_search_path
    proposals = {
        spec.tool_name: spec
        for info in _parsers()
        for command in cast("Iterable[str]", info.get("magic_commands", ()))
        if look(command.split()[0]) is not None
        for spec in [_proposal(info["name"], command, info["description"])]
    }
    return tuple(proposals[name] for name in sorted(proposals))


def _parsers() -> Iterator[dict[str, Any]]:
    """What jc says of its parsers that know a command of this system."""
    import jc

    for info in cast("list[dict[str, Any]]", jc.all_parser_info()):
        is_stream = info["name"].endswith("_s")
        if not is_stream and sys.platform.rstrip("0123456789") in info["compatible"]:
            yield info


def _proposal(parser: str, command: str, description: str) -> ToolSpec:
    argv = command.split()
    name = _NOT_IN_NAMES.sub("_", command.lower()).strip("_")
    pattern = {
        "description": f"`{command}` without further arguments",
        "effects": "system",
        "limitations": ["proposed by discovery; inputs and effects have to be checked"],
        "expected_outputs": [{"name": "result", "type": "array"}],
        "binding": {
            "kind": "command",
            "argv": argv,
            "output": {"parser": "jc", "name": parser, "as": "result"},
        },
    }
    document = {
        "tool_name": name,
        "platform": "linux" if sys.platform == "linux" else "custom",
        "version": "0.1.0",
        "category": "system",
        "status": "draft",
        "description": description.replace("`", ""),
        "capabilities": {
            "inspect": {"description": description.replace("`", ""), "patterns": {"run": pattern}}
        },
        "dependencies": [{"name": argv[0], "type": "binary"}],
        "metadata": {"discovered": {"parser": parser, "command": command}},
    }
    return tool_from_value(document, f"proposal {name}")


def _on_search_path(program: str) -> str | None:
    return shutil.which(program, path=SEARCH_PATH)
