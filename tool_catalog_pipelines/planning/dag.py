"""Directed acyclic graphs of names: order, levels, cycles, critical path. Knows nothing of chains.

A graph is a mapping from each node to the nodes that it waits for. Every function is
deterministic: where the graph leaves a choice, the order of the mapping decides.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from tool_catalog_pipelines.errors import TerminalError

Upstream = Mapping[str, Collection[str]]
"""Node -> the nodes that it waits for. Every node must be a key."""


class DependencyCycleError(TerminalError):
    """Nodes wait for each other; `path` starts and ends with the same node."""

    def __init__(self, path: tuple[str, ...]) -> None:
        self.path = path
        super().__init__(" -> ".join(path))


def ordered(upstream: Upstream) -> tuple[str, ...]:
    """All nodes, each after everything that it waits for; ties in the order of the mapping.

    Raises:
        DependencyCycleError: nodes wait for each other.
    """
    rank = {node: number for number, node in enumerate(upstream)}
    sorter = TopologicalSorter(upstream)
    _prepare(sorter, rank)
    ready = [(rank[node], node) for node in sorter.get_ready()]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        _, node = heapq.heappop(ready)
        order.append(node)
        sorter.done(node)
        for released in sorter.get_ready():
            heapq.heappush(ready, (rank[released], released))
    return tuple(order)


def _prepare(sorter: TopologicalSorter[str], rank: Mapping[str, int]) -> None:
    """Start the sorter; a cycle is told from its earliest node on."""
    try:
        sorter.prepare()
    except CycleError as error:
        ring: list[str] = error.args[1][:-1]
        start = ring.index(min(ring, key=rank.__getitem__))
        path = (*ring[start:], *ring[:start], ring[start])
        raise DependencyCycleError(path) from None


def disjoint_cycles(upstream: Upstream) -> tuple[tuple[str, ...], ...]:
    """Cycles that share no node, so that every knot of the graph is told at once.

    `a -> b -> a` means: b waits for a, and a waits for b.
    """
    rank = {node: number for number, node in enumerate(upstream)}
    done: set[str] = set()
    rings: list[list[str]] = []
    for node in upstream:
        if node not in done:
            rings += _rings_from(node, upstream, done)
    cycles: list[tuple[str, ...]] = []
    for ring in rings:
        start = ring.index(min(ring, key=rank.__getitem__))
        cycles.append((*ring[start:], *ring[:start], ring[start]))
    return tuple(sorted(cycles, key=lambda path: rank[path[0]]))


def _rings_from(start: str, upstream: Upstream, done: set[str]) -> Iterator[list[str]]:
    """Cycles that are met on the way up from a node; each is left out from then on.

    Every edge is followed once: nodes of a cycle and nodes without one are never visited again.
    """
    path = {start: iter(upstream[start])}
    while path:
        node = next(reversed(path))
        other = next((one for one in path[node] if one not in done), None)
        if other is None:
            del path[node]
            done.add(node)
        elif other in path:
            ring: list[str] = []
            while not ring or ring[-1] != other:
                ring.append(path.popitem()[0])
            done.update(ring)
            yield ring
        else:
            path[other] = iter(upstream[other])


def levels(upstream: Upstream) -> tuple[tuple[str, ...], ...]:
    """Nodes by the length of the longest way to them; nodes of one level may run together.

    Inside a level nodes stand in the order of the mapping.

    Raises:
        DependencyCycleError: nodes wait for each other.
    """
    depth: dict[str, int] = {}
    for node in ordered(upstream):
        depth[node] = 1 + max((depth[other] for other in upstream[node]), default=-1)
    groups: list[list[str]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for node in upstream:
        groups[depth[node]].append(node)
    return tuple(tuple(group) for group in groups)


def critical_path(
    upstream: Upstream, weights: Mapping[str, float]
) -> tuple[tuple[str, ...], float]:
    """The heaviest way through the graph, and its weight.

    Args:
        upstream: the graph.
        weights: weight of each node, not negative; a node without one weighs nothing.

    Raises:
        DependencyCycleError: nodes wait for each other.
    """
    total: dict[str, float] = {}
    before: dict[str, str | None] = {}
    for node in ordered(upstream):
        heaviest = max(upstream[node], key=total.__getitem__, default=None)
        before[node] = heaviest
        total[node] = weights.get(node, 0.0) + (total[heaviest] if heaviest else 0.0)
    if not total:
        return (), 0.0
    last: str | None = max(total, key=total.__getitem__)
    weight = total[last] if last else 0.0
    path: list[str] = []
    while last is not None:
        path.append(last)
        last = before[last]
    return tuple(reversed(path)), weight
