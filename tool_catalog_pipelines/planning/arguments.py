"""What a step passes to its tool: nothing missing, nothing unknown, constants that fit.

One check per step. Values that are known only in the run are checked there (execution/inputs.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from tool_catalog_pipelines.planning.findings import Findings
from tool_catalog_pipelines.planning.plan import Constant, ValueExpr
from tool_catalog_pipelines.planning.tool_use import ToolUse
from tool_catalog_pipelines.spec.notes import name_hint
from tool_catalog_pipelines.spec.tool import InputSpec
from tool_catalog_pipelines.spec.values import value_problem


def check_arguments(
    step_id: str, use: ToolUse, arguments: Mapping[str, ValueExpr], findings: Findings
) -> None:
    """Compare the arguments of a tool step with the inputs that its pattern declares.

    A null argument counts as not given, as in the run; an input with a default is never missing.
    """
    declared = use.pattern.inputs
    _check_missing(step_id, use, arguments, findings)
    for name, value in arguments.items():
        if name not in declared:
            findings.add(
                ("steps", step_id, "with", name),
                f"{use.tool.label} has no input {name!r}",
                name_hint(name, declared) or "it takes no inputs",
                "unknown_argument",
                at_key=True,
            )
        elif isinstance(value, Constant) and value.value is not None:
            _check_constant(step_id, declared[name], value, findings)


def _check_missing(
    step_id: str, use: ToolUse, arguments: Mapping[str, ValueExpr], findings: Findings
) -> None:
    for spec in use.pattern.required_inputs:
        if spec.default is None and arguments.get(spec.name, _NULL) == _NULL:
            findings.add(
                ("steps", step_id, "with"),
                f"step {step_id}: {use.tool.label} needs the input {spec.name!r} ({spec.type})",
                f"add it under `with:` ({spec.description})",
                "missing_argument",
            )


_NULL = Constant(None)


def _check_constant(step_id: str, spec: InputSpec, constant: Constant, findings: Findings) -> None:
    problem = value_problem(
        constant.value, spec.type, spec.range, spec.allowed_values, spec.validation
    )
    if problem:
        findings.add(
            ("steps", step_id, "with", spec.name),
            f"{spec.name} {problem}",
            spec.description,
            "argument_value",
        )
