"""Python bindings: functions registered by entry point, called with a context and the inputs.

Only registered functions can be named in YAML, so a tool file cannot import arbitrary code.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

from tool_catalog_pipelines.execution.context import AttemptError

GROUP = "tool_catalog_pipelines.functions"


@dataclass(frozen=True, slots=True)
class FunctionContext:
    """What a function may know of the run that calls it."""

    work_dir: Path
    reports_dir: Path
    run_id: str
    chain: str
    step: str


Function = Callable[..., Any]


@lru_cache(maxsize=256)
def find_function(name: str) -> Function:
    """The registered function of that name.

    Raises:
        AttemptError: nothing is registered under the name.
    """
    found = [entry for entry in entry_points(group=GROUP) if entry.name == name]
    if not found:
        raise AttemptError("BindingError", f"no Python function {name!r} is registered")
    return cast("Function", found[0].load())


def call_function(name: str, context: FunctionContext, inputs: Mapping[str, Any]) -> Any:
    """Call a function; what it raises becomes a failed attempt with its message."""
    function = find_function(name)
    try:
        inspect.signature(function).bind(context, **inputs)
    except TypeError as error:
        raise AttemptError("BindingError", f"{name} does not take these inputs: {error}") from error
    try:
        return function(context, **inputs)
    except AttemptError:
        raise
    except Exception as error:  # whatever a function raises is this attempt's failure
        raise AttemptError(type(error).__name__, str(error) or type(error).__name__) from error
