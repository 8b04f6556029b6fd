"""What is allowed in a tool file but makes it worse: advice, refused by a strict check only.

Does not belong here: what is wrong (checks.py and the modules that it calls).
"""

from __future__ import annotations

from collections.abc import Iterator

from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.expressions.estimate import parse_estimate
from tool_catalog_pipelines.spec.binding import CommandBinding
from tool_catalog_pipelines.spec.reader import Document, DocumentPath
from tool_catalog_pipelines.spec.tool import PatternSpec, ToolSpec

MAX_PATTERNS = 5
"""More ways to do one thing than a person can tell apart."""
_SHORTEST_DESCRIPTION = 10
_Advice = Iterator[tuple[DocumentPath, str, str, str]]


def advice_on(spec: ToolSpec, document: Document) -> list[Problem]:
    """Every piece of advice on a tool that is right."""
    return [
        Problem(message, document.position(path), hint, code)
        for path, message, hint, code in _on_tool(spec)
    ]


def _on_tool(spec: ToolSpec) -> _Advice:
    if len(spec.description) < _SHORTEST_DESCRIPTION:
        hint = "say in one sentence what the tool is for"
        yield ("description",), "the description is very short", hint, "description"
    if "documentation_url" not in spec.metadata:
        hint = "add metadata.documentation_url"
        yield ("metadata",), "no link to the documentation of the program", hint, "documentation"
    if spec.status == "deprecated" and "successor" not in spec.metadata:
        hint = "add metadata.successor"
        yield ("status",), "a deprecated tool without a successor", hint, "successor"
    for name, capability in spec.capabilities.items():
        path: DocumentPath = ("capabilities", name)
        if len(capability.patterns) > MAX_PATTERNS:
            count = len(capability.patterns)
            hint = f"split the capability; {MAX_PATTERNS} can be told apart"
            yield path, f"{count} patterns for one capability", hint, "patterns"
        for pattern_name, pattern in capability.patterns.items():
            yield from _on_pattern(spec, pattern, (*path, "patterns", pattern_name))


def _on_pattern(spec: ToolSpec, pattern: PatternSpec, path: DocumentPath) -> _Advice:
    if pattern.binding is None:
        yield path, "the pattern is not executable", "add a binding", "binding"
    if not pattern.examples:
        yield path, "no example", "add one with inputs that work anywhere", "examples"
    if not pattern.typical_use_cases:
        yield path, "no typical use case", "say when somebody wants this", "use_cases"
    yield from _on_estimates(spec, pattern, path)
    yield from _on_secrets(spec, pattern, path)
    if isinstance(pattern.binding, CommandBinding):
        program = pattern.binding.argv[0]
        if program not in {need.name for need in spec.dependencies if need.type == "binary"}:
            hint = f"add {{name: {program}, type: binary}} to dependencies"
            yield (*path, "binding"), f"{program} is no declared dependency", hint, "dependency"


def _on_secrets(spec: ToolSpec, pattern: PatternSpec, path: DocumentPath) -> _Advice:
    """What a tool says of authentication is what its binding does."""
    if pattern.binding is None:
        return
    uses_secret = "${secret:" in pattern.binding.model_dump_json()
    if uses_secret and not spec.requires_auth:
        hint = "add requires_auth: true"
        yield (*path, "binding"), "a secret is used, but requires_auth is not set", hint, "auth"


def _on_estimates(spec: ToolSpec, pattern: PatternSpec, path: DocumentPath) -> _Advice:
    is_explained = "constant_estimate" in spec.metadata
    if pattern.time_estimate_ms is None:
        yield path, "the time is unknown", "add time_estimate_ms", "estimate"
    elif not (parse_estimate(pattern.time_estimate_ms).free_variables or is_explained):
        hint = "let it depend on a variable, or say why in metadata.constant_estimate"
        yield (*path, "time_estimate_ms"), "the time is a constant", hint, "constant"
    if _is_odd_constant(pattern.cost_estimate) and not is_explained:
        hint = "1 is the cost of one call; say in metadata.constant_estimate why it is another"
        yield (*path, "cost_estimate"), "the cost is a constant other than 1", hint, "constant"
    used = _variables_of(pattern)
    for name in pattern.variables:
        if name not in used:
            place = (*path, "variables", name)
            yield place, f"the variable {name} is not used", "remove it", "unused"


def _is_odd_constant(cost: str | None) -> bool:
    if cost is None or parse_estimate(cost).free_variables:
        return False
    return parse_estimate(cost).evaluate({}) != 1


def _variables_of(pattern: PatternSpec) -> frozenset[str]:
    texts = (pattern.time_estimate_ms, pattern.cost_estimate)
    found = (parse_estimate(text).free_variables for text in texts if text is not None)
    return frozenset[str]().union(*found)
