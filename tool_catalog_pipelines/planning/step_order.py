"""The order of steps that name what they wait for, also by wildcards.

`*` stands for any characters and never for the step itself. A name that no step has is told and
does not hinder the order. Does not belong here: chains (build.py), the graph itself (dag.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.planning.dag import Upstream, disjoint_cycles, levels

Steps = Sequence[tuple[str, Sequence[str]]]
MAX_DEPENDENCIES = 1_000_000
MAX_COMPARISONS = 10_000_000
"""Of wildcards with names of steps."""
MAX_COMPARED = 1_000_000_000
"""Characters of names that are compared with wildcards."""


@dataclass(frozen=True, slots=True)
class StepOrder:
    """Steps one after another, steps that may run together, and everything that is wrong.

    Where steps wait for each other there is no order, and both are empty.
    """

    order: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    errors: tuple[str, ...]


def order_steps(steps: Steps) -> StepOrder:
    """Order steps, each given with what it depends on; ties in the order in which they came.

    Raises:
        InvalidInputError: there are too many steps and dependencies for an answer in seconds.
    """
    errors = _twice(steps)
    names = dict.fromkeys(name for name, _ in steps)
    wildcards = _wildcards(steps, names)
    upstream: dict[str, dict[str, None]] = {name: {} for name in names}
    count = 0
    for name, depends_on in steps:
        for text in dict.fromkeys(depends_on):
            found, error = _meant(text, name, names, wildcards)
            count += len(found)
            _check_size(count, MAX_DEPENDENCIES, "dependencies")
            upstream[name].update(dict.fromkeys(found))
            if error:
                errors.append(error)
    return _ordered(upstream, errors)


def _wildcards(steps: Steps, names: Collection[str]) -> dict[str, list[str]]:
    """Every dependency with a wildcard, and the steps that it means."""
    texts = dict.fromkeys(text for _, depends_on in steps for text in depends_on if "*" in text)
    _check_size(len(texts) * len(names), MAX_COMPARISONS, "wildcards for so many steps")
    _check_size(
        len(texts) * sum(map(len, names)), MAX_COMPARED, "wildcards for names of such length"
    )
    return {text: _matching(text, names) for text in texts}


def _matching(text: str, names: Collection[str]) -> list[str]:
    """The names that a wildcard means; `**` means no more than `*`."""
    first, *middle, last = text.split("*")
    middle = [fragment for fragment in middle if fragment]
    return [name for name in names if _matches(first, middle, last, name)]


def _check_size(count: int, limit: int, what: str) -> None:
    if count > limit:
        problem = Problem(f"there are too many {what}", hint="order parts of it", code="limit")
        raise InvalidInputError([problem])


def _twice(steps: Steps) -> list[str]:
    seen: set[str] = set()
    errors: list[str] = []
    for name, _ in steps:
        if name in seen:
            errors.append(f"Duplicate step: {name}")
        seen.add(name)
    return errors


def _meant(
    text: str, own: str, names: Collection[str], wildcards: Mapping[str, Sequence[str]]
) -> tuple[list[str], str]:
    """The steps that a dependency means, and what is wrong with it."""
    if text == own:
        return [own], f"Invalid step reference: Self-dependency of {own}"
    if "*" in text:
        found = [name for name in wildcards[text] if name != own]
    else:
        found = [text] if text in names else []
    return found, "" if found else f"Missing dependency: {text}"


def _matches(first: str, middle: Sequence[str], last: str, name: str) -> bool:
    """Whether a name begins with the first fragment, ends with the last, has the rest in order."""
    if len(name) < len(first) + len(last) or not name.startswith(first):
        return False
    at, end = len(first), len(name) - len(last)
    for fragment in middle:
        found = name.find(fragment, at, end)
        if found < 0:
            return False
        at = found + len(fragment)
    return name.endswith(last)


def _ordered(upstream: Upstream, errors: list[str]) -> StepOrder:
    cycles = [path for path in disjoint_cycles(upstream) if len(path) > 2]
    has_cycle = bool(cycles) or any(name in others for name, others in upstream.items())
    errors += [f"Circular dependency: {' -> '.join(path)}" for path in cycles]
    if has_cycle:
        return StepOrder((), (), tuple(errors))
    return StepOrder(_first_come(upstream), levels(upstream), tuple(errors))


def _first_come(upstream: Upstream) -> tuple[str, ...]:
    """Kahn's order (1962): a step that becomes ready queues behind those that are ready already."""
    waits = {name: len(others) for name, others in upstream.items()}
    downstream: dict[str, list[str]] = {name: [] for name in upstream}
    for name, others in upstream.items():
        for other in others:
            downstream[other].append(name)
    queue = [name for name, count in waits.items() if count == 0]
    for name in queue:  # grows while it is walked
        for released in downstream[name]:
            waits[released] -= 1
            if waits[released] == 0:
                queue.append(released)
    return tuple(queue)
