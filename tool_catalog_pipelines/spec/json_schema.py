"""JSON Schemas of the YAML formats, generated from the models, for editors.

A schema finds what is wrong with one field; rules across fields stay with the checks. Does not
belong here: the models themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tool_catalog_pipelines.spec.base import SpecModel
from tool_catalog_pipelines.spec.chain import ChainSpec
from tool_catalog_pipelines.spec.experiment import ExperimentSpec
from tool_catalog_pipelines.spec.tool import ToolSpec

KINDS: Mapping[str, type[SpecModel]] = {
    "tool": ToolSpec,
    "chain": ChainSpec,
    "experiment": ExperimentSpec,
}
_NUMBERS_TOO = frozenset({"version", "version_a", "version_b", "time_estimate_ms", "cost_estimate"})
"""Written without quotes these look like numbers, and are taken all the same."""


def json_schema(kind: str) -> dict[str, Any]:
    """The schema of one kind of file; KeyError if there is no such kind."""
    schema = KINDS[kind].model_json_schema(by_alias=True, mode="validation")
    for model in (schema, *schema.get("$defs", {}).values()):
        for name, field in model.get("properties", {}).items():
            if name in _NUMBERS_TOO:
                model["properties"][name] = {"anyOf": [field, {"type": "number"}]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
