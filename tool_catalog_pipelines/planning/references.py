"""Everything that a step refers to must exist, and be in reach: steps, inputs, fields, the item.

One check per step; it also gives the steps whose output the step reads. Does not belong here: the
order of steps (planning/shape.py), the values themselves (planning/arguments.py), whether paths
and conditions can be read at all (spec/check_steps.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tool_catalog_pipelines.expressions.condition import parse_condition
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.planning.findings import Findings
from tool_catalog_pipelines.planning.paths import leading_fields
from tool_catalog_pipelines.planning.placeholders import Placeholder, placeholders
from tool_catalog_pipelines.planning.plan import INPUTS, Reference, Template, ValueExpr
from tool_catalog_pipelines.planning.scope import Scope
from tool_catalog_pipelines.planning.values import leaves
from tool_catalog_pipelines.spec.chain import StepSpec
from tool_catalog_pipelines.spec.notes import name_hint
from tool_catalog_pipelines.spec.reader import DocumentPath


@dataclass(frozen=True, slots=True)
class References:
    """Checks the references of one step, or of the chain's outputs (`step_id` and `item` None)."""

    step_id: str | None
    item: str | None
    scope: Scope
    findings: Findings

    def of_step(
        self, where: DocumentPath, step: StepSpec, arguments: Mapping[str, ValueExpr]
    ) -> tuple[str, ...]:
        """Check all references of the step at `where`; the steps that it reads, each once."""
        key = "with" if step.transform is None else "transform"
        roots = list(self.of_values((*where, key), arguments))
        if step.foreach is not None:
            roots += self._context_path((*where, "foreach", "in"), step.foreach.in_)
        if step.when is not None:
            roots += self._condition((*where, "when"), step.when)
        readable = self.scope.steps - {self.step_id}
        return tuple(dict.fromkeys(root for root in roots if root in readable))

    def of_values(self, where: DocumentPath, values: Mapping[str, ValueExpr]) -> Iterator[str]:
        """Check value expressions; gives the step (or `inputs`) of every reference."""
        for name, value in values.items():
            for path, leaf in leaves(value, (*where, name)):
                if isinstance(leaf, Template):
                    self._placeholders(path, leaf.text)
                elif isinstance(leaf, Reference):
                    self._reference(path, leaf)
                    yield leaf.step

    def _reference(self, where: DocumentPath, ref: Reference) -> None:
        in_path = (*where, "path")
        self._placeholders(in_path, ref.path)
        if self._root((*where, "from"), ref.step):
            self._field(in_path, ref.step, leading_fields(ref.path))

    def _context_path(self, where: DocumentPath, path: str) -> tuple[str, ...]:
        """A path on `{step: output, inputs: {...}}` must begin with a step or the inputs."""
        if found := placeholders(path):
            self.findings.add(
                where,
                f"{found[0]} is not filled in here",
                "make the list in a transform step, and refer to that",
                "placeholder",
            )
            return ()
        root, *fields = leading_fields(path) or ("",)
        if not root:
            self.findings.add(
                where,
                f"{path} does not say which step it reads",
                f"begin with $.step or $.{INPUTS}",
                "path",
            )
            return ()
        if self._root(where, root):
            self._field(where, root, tuple(fields))
        return (root,)

    def _condition(self, where: DocumentPath, text: str) -> list[str]:
        try:
            condition = parse_condition(text)
        except ExpressionError as error:
            self.findings.add_expression(where, "'when' cannot be read", error)
            return []
        roots = [root for path in condition.paths for root in self._context_path(where, path)]
        names = condition.names | (condition.constants & self.scope.fields.keys())
        return roots + [name for name in sorted(names) if self._name(where, name)]

    def _name(self, where: DocumentPath, name: str) -> bool:
        """True if a bare name in a condition is a step or `inputs`."""
        if name in self.scope.inputs and name not in self.scope.steps:
            self.findings.add(
                where, f"there is no step {name!r}", f"write $.{INPUTS}.{name}", "unknown_step"
            )
            return False
        return self._root(where, name)

    def _root(self, where: DocumentPath, name: str) -> bool:
        """True if `name` is `inputs` or another step; else a problem is noted."""
        if name == INPUTS:
            return True
        if name == self.step_id:
            message = f"step {name} refers to itself"
            self.findings.add(where, message, "refer to another step", "self_reference")
            return False
        if name not in self.scope.fields:
            hint = name_hint(name, (*self.scope.fields, INPUTS))
            self.findings.add(where, f"there is no step {name!r}", hint, "unknown_step")
            return False
        return True

    def _field(self, where: DocumentPath, root: str, fields: tuple[str, ...]) -> None:
        if not fields:
            return
        if root == INPUTS:
            self._input(where, fields[0])
            return
        declared = self.scope.fields[root]
        if declared is not None and fields[0] not in declared:
            message = f"the output of step {root} has no field {fields[0]!r}"
            self.findings.add(
                where, message, name_hint(fields[0], sorted(declared)), "unknown_field"
            )

    def _input(self, where: DocumentPath, name: str) -> None:
        if name not in self.scope.inputs:
            hint = name_hint(name, sorted(self.scope.inputs)) or "declare it under 'inputs:'"
            self.findings.add(where, f"the chain declares no input {name!r}", hint, "unknown_input")

    def _placeholders(self, where: DocumentPath, text: str) -> None:
        for placeholder in placeholders(text):
            if placeholder.root != INPUTS:
                self._item(where, placeholder)
            elif placeholder.fields:
                self._input(where, placeholder.fields[0])
            else:
                message = f"{placeholder} names no input"
                self.findings.add(where, message, "write {inputs.name}", "placeholder")

    def _item(self, where: DocumentPath, placeholder: Placeholder) -> None:
        if placeholder.root == self.item:
            return
        name = placeholder.root
        if name in self.scope.fields:
            hint = f"write {{from: {name}, path: ...}} to read the output of a step"
        elif self.item:
            hint = f"the item of this step is {{{self.item}}}"
        else:
            hint = "only a step with 'foreach' has an item"
        self.findings.add(
            where,
            f"{placeholder} means nothing here",
            f"{hint}; write {{{placeholder}}} for the text itself",
            "placeholder",
        )
