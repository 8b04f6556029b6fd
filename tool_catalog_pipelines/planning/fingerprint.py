"""The fingerprint of a plan: one hash of everything that has a meaning.

Positions and descriptions have none, nor has the order of keys in a mapping. Levels and order
follow from the rest. Two plans with one fingerprint do the same.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from tool_catalog_pipelines.planning.plan import (
    Constant,
    Foreach,
    ListOf,
    MappingOf,
    PlanStep,
    Reference,
    Template,
    ValueExpr,
)
from tool_catalog_pipelines.spec.chain import ChainSpec
from tool_catalog_pipelines.spec.load import canonical_json


def fingerprint(
    spec: ChainSpec, steps: Sequence[PlanStep], outputs: Mapping[str, Reference]
) -> str:
    """SHA-256 (hex) of the meaning of a chain as planned."""
    meaning = {
        "chain": spec.chain,
        "version": spec.version,
        "inputs": {
            name: declared.model_dump(mode="json", exclude={"description"})
            for name, declared in spec.inputs.items()
        },
        "steps": {step.id: _step(step) for step in steps},
        "outputs": {name: expression_as_json(output) for name, output in outputs.items()},
        "schedule": spec.schedule.model_dump(mode="json") if spec.schedule else None,
        "parallel": spec.parallel,
        "tags": spec.tags,
    }
    return hashlib.sha256(canonical_json(meaning).encode()).hexdigest()


def _step(step: PlanStep) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "tool": str(step.tool) if step.tool else None,
        "capability": step.capability,
        "pattern": step.pattern,
        "arguments": {name: expression_as_json(value) for name, value in step.arguments.items()},
        "foreach": _foreach(step.foreach) if step.foreach else None,
        "when": step.when,
        "upstream": sorted(step.upstream),
        "timeout_s": step.timeout_s,
        "retry": step.retry.model_dump(mode="json") if step.retry else None,
        "on_error": step.on_error,
    }


def _foreach(foreach: Foreach) -> dict[str, Any]:
    return dataclasses.asdict(dataclasses.replace(foreach, position=None))


def expression_as_json(value: ValueExpr) -> dict[str, Any]:
    """A value expression as JSON, tagged by kind, without positions."""
    match value:
        case Constant():
            return {"constant": value.value}
        case Template():
            return {"template": value.text}
        case Reference():
            default = {"default": value.default} if value.has_default else {}
            return {"from": value.step, "path": value.path, "type": value.type, **default}
        case MappingOf():
            return {"mapping": {key: expression_as_json(v) for key, v in value.fields.items()}}
        case ListOf():
            return {"list": [expression_as_json(element) for element in value.elements]}
