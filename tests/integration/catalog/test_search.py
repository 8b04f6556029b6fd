"""Search in a real database: words, meaning, mistakes, filters, visibility, and faults."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from factories import make_tool_spec
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text

from tool_catalog_pipelines.catalog.connect import Catalog
from tool_catalog_pipelines.catalog.search import vectors
from tool_catalog_pipelines.catalog.search.embedding import ConceptEmbedder
from tool_catalog_pipelines.catalog.search.question import Filters, Question
from tool_catalog_pipelines.catalog.search.search import ToolSearch
from tool_catalog_pipelines.catalog.store import CatalogStore
from tool_catalog_pipelines.spec.base import parse_tool_ref as ref

TOOLS: dict[str, dict[str, Any]] = {
    "linux/df": {"description": "Space used and free on every mounted file system"},
    "linux/ss": {"description": "Sockets that listen or are connected"},
    "linux/kill": {"description": "Sends a signal to processes, to end them"},
    "linux/gzip": {"description": "Compresses a file"},
    "network/tcpdump": {"description": "Captures packets of an interface"},
    "windows/ipconfig": {"description": "Addresses of network interfaces"},
}


@pytest.fixture
def tools(catalog: Catalog) -> Catalog:
    """A catalogue of a few tools."""
    for at, tool in TOOLS.items():
        category = "network" if at.startswith("network") else "system"
        save(catalog, at, category=category, metadata={"tags": [at.partition("/")[0]]}, **tool)
    return catalog


def save(catalog: Catalog, at: str, **tool: Any) -> None:
    catalog.editor.save_tool(make_tool_spec(at, tool=tool), "test")


def engine_of(catalog: Catalog, **settings: Any) -> ToolSearch:
    own = replace(catalog.settings, **settings)
    return ToolSearch(catalog.engine, own, CatalogStore(catalog.engine, own))


def found(catalog: Catalog, question: str, filters: Filters | None = None, **own: Any) -> list[str]:
    hits = engine_of(catalog, **own).find(Question(question, filters or Filters())).hits
    return [hit.tool.label.partition("@")[0] for hit in hits]


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("mounted file systems", "linux/df"),
        ("is the disk full?", "linux/df"),
        ("terminate a task", "linux/kill"),
        ("zip", "linux/gzip"),
        ("sniff traffic", "network/tcpdump"),
        ("gzpi", "linux/gzip"),
        ("soket", "linux/ss"),
    ],
)
def test_words_meanings_and_mistakes_find_their_tool(
    tools: Catalog, question: str, first: str
) -> None:
    assert found(tools, question)[0] == first


def test_a_hit_says_why(tools: Catalog) -> None:
    page = engine_of(tools).find(Question("soket disk full"))
    reasons = {hit.tool.header.tool_name: hit.reasons for hit in page.hits}
    assert page.corrections == {"soket": ("socket",)} or "soket" in page.corrections
    assert ("socket" in dict(reasons["ss"].words)) or ("sockets" in dict(reasons["ss"].words))
    assert reasons["df"].similarity is not None
    assert reasons["df"].concepts


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        (Filters(platform="windows"), ["windows/ipconfig"]),
        (Filters(category="network"), ["network/tcpdump"]),
        (Filters(tag="windows"), ["windows/ipconfig"]),
        (Filters(state="disabled"), []),
        (Filters(capability="none"), []),
        (Filters(owner="nobody"), []),
        (Filters(tenant="other"), []),
    ],
)
def test_filters_leave_what_has_everything(
    tools: Catalog, filters: Filters, left: list[str]
) -> None:
    assert found(tools, "", filters) == left
    assert set(found(tools, "network interface disk file process", filters)) <= set(left)


def test_without_words_every_tool_by_name(tools: Catalog) -> None:
    assert found(tools, "  ?! ") == sorted(TOOLS)


def test_pages_do_not_overlap(tools: Catalog) -> None:
    engine = engine_of(tools)
    pages = [engine.find(Question("", page=n, per_page=2)) for n in (1, 2, 3, 4)]
    labels = [hit.tool.label for page in pages for hit in page.hits]
    assert len(labels) == len(set(labels)) == len(TOOLS)
    assert {page.found for page in pages} == {len(TOOLS)}


def test_the_index_follows_every_change(tools: Catalog) -> None:
    assert found(tools, "hamster") == []
    tools.editor.update_tool(ref("linux/df"), {"description": "All about the hamster"}, "test")
    assert found(tools, "hamster") == ["linux/df"]
    tools.editor.roll_back(ref("linux/df@1.0.0"), "test")
    assert found(tools, "hamster") == []
    tools.editor.disable(ref("linux/ss"), "test")
    assert "linux/ss" not in found(tools, "sockets")
    assert found(tools, "sockets", Filters(state="disabled")) == ["linux/ss"]
    tools.editor.delete(ref("linux/gzip"), "test")
    assert "linux/gzip" not in found(tools, "compress")
    save(tools, "linux/new", description="Feeds the hamster")
    assert found(tools, "hamster") == ["linux/new"]


def test_only_what_changed_is_read_again(tools: Catalog) -> None:
    engine = engine_of(tools)
    assert engine.refresh() == len(TOOLS)
    assert engine.refresh() == 0
    tools.editor.update_tool(ref("linux/df"), {"description": "All about the hamster"}, "test")
    assert engine.refresh() == 1


def test_another_embedder_makes_the_index_anew(
    tools: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine_of(tools).refresh()
    monkeypatch.setattr(ConceptEmbedder, "name", "other")
    monkeypatch.setattr(ConceptEmbedder, "dimensions", 4096)
    monkeypatch.setattr(ConceptEmbedder, "is_sparse", False)
    assert engine_of(tools).refresh() == len(TOOLS)
    assert found(tools, "is the disk full?")[0] == "linux/df"


def test_own_tools_hide_shared_ones_and_others_are_not_seen(tools: Catalog) -> None:
    own = replace(tools.settings, tenant="acme")
    mine = replace(tools, settings=own, editor=type(tools.editor)(tools.engine, own, tools.publish))
    save(mine, "linux/df", description="The hamster of acme")
    assert found(tools, "hamster") == []
    assert found(tools, "hamster", tenant="acme") == ["linux/df"]
    assert found(tools, "mounted", tenant="acme") == []
    assert "linux/ss" in found(tools, "sockets", tenant="acme")
    assert found(tools, "", Filters(tenant="acme"), tenant="acme") == ["linux/df"]
    assert found(tools, "hamster", tenant="other") == []


def test_each_environment_sees_its_latest_version(catalog: Catalog) -> None:
    save(catalog, "linux/a@1.0.0", description="First hamster")
    save(catalog, "linux/a@2.0.0", description="Second badger", environments=["staging"])
    assert found(catalog, "badger", environment="staging") == ["linux/a"]
    assert found(catalog, "hamster", environment="staging") == []
    assert found(catalog, "badger", environment="production") == []
    assert found(catalog, "hamster", environment="production") == ["linux/a"]


def test_related_tools_do_not_include_the_tool_itself(tools: Catalog) -> None:
    save(tools, "linux/bzip2", description="Compresses a file, smaller and slower")
    gzip = tools.store.snapshot().resolve(ref("linux/gzip"))
    labels = [hit.tool.header.tool_name for hit in engine_of(tools).related(gzip, 3)]
    assert labels[0] == "bzip2"
    assert "gzip" not in labels


def test_without_pgvector_the_hits_are_the_same(
    tools: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = ["is the disk full?", "sniff traffic", "terminate a task", "network"]
    by_database = [found(tools, question) for question in questions]
    monkeypatch.setattr(vectors, "_has_extension", lambda _: False)
    monkeypatch.setattr(ConceptEmbedder, "name", "made anew")
    assert [found(tools, question) for question in questions] == by_database


def test_many_may_refresh_at_once(tools: Catalog) -> None:
    def refresh(_: int) -> int:
        return engine_of(tools).refresh()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(refresh, range(4))) == [0, 0, 0, len(TOOLS)]


HOSTILE = [
    "'; DROP TABLE tool_catalog.tools; --",
    "disk & | ! :* <-> (", "a\x00b\x1b[31m", "\u202eksid", "x" * 10_000, "disk " * 5_000,
    "Wie voll ist die Festplatte?", "磁盘 空间", "сколько места на диске", "🐹" * 50, "%' OR 1=1",
    "\ud800", "{'a': [1]}", "../../etc/passwd",
]  # fmt: skip


@pytest.mark.parametrize("question", HOSTILE, ids=range(len(HOSTILE)))
def test_any_question_is_answered(tools: Catalog, question: str) -> None:
    assert set(found(tools, question)) <= set(TOOLS)
    with tools.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM tool_catalog.tools")).scalar() == 6


@pytest.fixture
def ask(tools: Catalog) -> Callable[[str], list[str]]:
    return lambda question: found(tools, question)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(question=st.text(max_size=200))
def test_generated_questions_are_answered(ask: Callable[[str], list[str]], question: str) -> None:
    assert set(ask(question)) <= set(TOOLS)
