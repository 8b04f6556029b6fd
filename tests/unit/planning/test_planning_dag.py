"""Graphs: order, levels, cycles and the critical path, on any graph."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.planning.dag import (
    DependencyCycleError,
    critical_path,
    disjoint_cycles,
    levels,
    ordered,
)

DIAMOND = {"d": ("b", "c"), "c": ("a",), "b": ("a",), "a": ()}


@st.composite
def dags(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    """A graph whose edges go backwards in one hidden order, with its keys in another."""
    names = [f"n{number}" for number in range(draw(st.integers(1, 12)))]
    waits = {
        name: tuple(draw(st.lists(st.sampled_from(names[:at]), unique=True))) if at else ()
        for at, name in enumerate(names)
    }
    return {name: waits[name] for name in draw(st.permutations(names))}


def test_order_keeps_the_order_of_the_mapping_where_it_can():
    assert ordered({"z": (), "a": (), "m": ("a",)}) == ("z", "a", "m")
    assert ordered(DIAMOND) == ("a", "c", "b", "d")


def test_levels_are_the_longest_way_and_keep_the_order_of_the_mapping():
    assert levels(DIAMOND) == (("a",), ("c", "b"), ("d",))
    assert levels({}) == ()


@given(dags())
def test_order_and_levels_respect_every_edge(graph: dict[str, tuple[str, ...]]):
    order = ordered(graph)
    place = {node: at for at, node in enumerate(order)}
    depth = {node: at for at, level in enumerate(levels(graph)) for node in level}
    assert sorted(order) == sorted(graph) == sorted(depth)
    for node, waits_for in graph.items():
        assert all(place[other] < place[node] for other in waits_for)
        assert depth[node] == 1 + max((depth[other] for other in waits_for), default=-1)


@given(dags())
def test_critical_path_is_a_way_through_the_graph_and_no_way_is_heavier(
    graph: dict[str, tuple[str, ...]],
):
    weights = {node: float(int(node[1:]) % 4 + 1) for node in graph}

    def heaviest(node: str) -> float:
        return weights[node] + max(map(heaviest, graph[node]), default=0.0)

    path, weight = critical_path(graph, weights)
    assert weight == sum(weights[node] for node in path) == max(map(heaviest, graph))
    assert all(earlier in graph[later] for earlier, later in pairwise(path))


def test_critical_path_of_nothing_weighs_nothing():
    assert critical_path({}, {}) == ((), 0.0)
    assert critical_path({"a": ()}, {}) == (("a",), 0.0)


@given(dags(), st.data())
def test_a_closed_way_is_told_as_a_cycle(graph: dict[str, tuple[str, ...]], data: st.DataObject):
    last = ordered(graph)[-1]
    start = data.draw(st.sampled_from(sorted(graph)))
    closed = {**graph, start: (*graph[start], last), last: (*graph[last], start)}
    with pytest.raises(DependencyCycleError) as caught:
        ordered(closed)
    path = caught.value.path
    assert path[0] == path[-1]
    assert all(earlier in closed[later] for earlier, later in pairwise(path))


def test_a_cycle_is_told_from_its_first_node_in_the_order_of_waiting():
    with pytest.raises(DependencyCycleError, match=r"^a -> b -> c -> a$"):
        ordered({"x": (), "a": ("c",), "c": ("b",), "b": ("a",)})


def test_every_knot_is_told_once():
    graph = {"a": ("b",), "b": ("a",), "c": ("a", "d"), "d": ("c",), "e": ("e",), "f": ("a",)}
    assert disjoint_cycles(graph) == (("a", "b", "a"), ("c", "d", "c"), ("e", "e"))
    assert disjoint_cycles(DIAMOND) == ()


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.sampled_from("abcdefgh"))))
def test_cycles_share_no_node_and_without_them_there_is_an_order(found: dict[str, set[str]]):
    graph = {node: sorted(found.get(node, ())) for node in "hgfedcba"}
    cycles = disjoint_cycles(graph)
    told = [node for path in cycles for node in path[1:]]
    assert len(told) == len(set(told))
    assert all(earlier in graph[later] for path in cycles for earlier, later in pairwise(path))
    rest = {
        node: [one for one in others if one not in told]
        for node, others in graph.items()
        if node not in told
    }
    assert sorted([*ordered(rest), *told]) == sorted(graph)


def test_thousands_of_knots_are_told_in_the_order_of_the_graph():
    """Each edge is followed once; starting anew for every knot takes minutes."""
    graph = {f"n{number}": (f"n{number ^ 1}",) for number in range(40_000)}
    cycles = disjoint_cycles(graph)
    assert cycles[:2] == (("n0", "n1", "n0"), ("n2", "n3", "n2"))
    assert len(cycles) == 20_000
