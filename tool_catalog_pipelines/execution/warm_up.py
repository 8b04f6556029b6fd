"""Loading what bindings need before the first step, so that no step's time contains it."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any, cast

from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.python_functions import find_function
from tool_catalog_pipelines.spec.binding import Binding, PythonBinding


def warm_up(bindings: Iterable[Binding]) -> None:
    """Import parsers and functions once; what is missing fails later, in its own step."""
    parsers: set[str] = set()
    for binding in bindings:
        if isinstance(binding, PythonBinding):
            _load(binding.function)
        elif binding.output.parser == "jc" and binding.output.name:
            parsers.add(binding.output.name)
    if parsers:
        jc = cast("Any", importlib.import_module("jc"))
        for name in parsers:
            jc.get_parser(name)


def _load(function: str) -> None:
    try:
        find_function(function)
    except AttemptError:
        return
