"""Search over 10,000 tools: how fast, beside PostgreSQL's own floor; how well, beside plain text.

The floor of a search is the same statement for words, sent by psycopg with nothing around it. The
tools are the shipped ones over and over, each with words of two others, so that texts are of the
usual length and words as frequent as they really are.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
import yaml

from benchmarks.catalogue import percentile, settings_of
from benchmarks.results import Goal, Result
from tool_catalog_pipelines.catalog.connect import Catalog, open_catalog
from tool_catalog_pipelines.catalog.importer import import_catalog
from tool_catalog_pipelines.catalog.search.question import Question
from tool_catalog_pipelines.catalog.search.search import ToolSearch
from tool_catalog_pipelines.catalog.search.words import question_words
from tool_catalog_pipelines.catalog.yaml_source import snapshot_from_yaml
from tool_catalog_pipelines.settings import CHECKOUT

TOOLS = 10_000
QUESTIONS = Path(__file__).with_name("questions")
REPEATS = 400


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and the tools that answer it."""

    question: str
    tools: tuple[str, ...]


def measure() -> list[Result]:
    """Speed on many tools, quality on the shipped ones."""
    with tempfile.TemporaryDirectory(prefix="tcb-") as folder:
        Path(folder).chmod(0o755)
        return [*quality(Path(folder) / "shipped"), *speed(Path(folder) / "many")]


def quality(home: Path) -> list[Result]:
    """Share of questions for which a right tool is among the first five."""
    settings = settings_of(home)
    settings.catalog_dir.parent.mkdir(parents=True, exist_ok=True)
    settings.catalog_dir.symlink_to(CHECKOUT / "catalog_yaml")
    found: list[Result] = []
    with open_catalog(settings) as catalog:
        import_catalog(catalog)
        search = ToolSearch(catalog.engine, settings, catalog.store)
        search.refresh()
        for half in ("development", "final"):
            asked = questions(half)
            ours = recall_at_5(asked, lambda text: labels_found(search, text))
            plain = recall_at_5(asked, lambda text: labels_by_plain_text(catalog, text))
            name = f"recall@5, {half} half of {len(asked)} questions"
            found.append(Result(f"{name}: plain full text", 100 * plain, "%"))
            found.append(Result(f"{name}: ours", 100 * ours, "%", "plain full text", ours / plain))
    return found


def questions(half: str) -> list[Asked]:
    """The questions of one half."""
    rows = yaml.safe_load((QUESTIONS / f"{half}.yaml").read_text(encoding="utf-8"))
    return [Asked(row["question"], tuple(row["tools"])) for row in rows]


def recall_at_5(asked: Sequence[Asked], find: object) -> float:
    """Share of questions that have one of their tools among the first five."""
    return sum(bool(set(find(one.question)[:5]) & set(one.tools)) for one in asked) / len(asked)


def labels_found(search: ToolSearch, text: str) -> list[str]:
    """The tools that our search finds, best first."""
    hits = search.find(Question(text, per_page=5)).hits
    return [hit.tool.label.partition("@")[0] for hit in hits]


def labels_by_plain_text(catalog: Catalog, text: str) -> list[str]:
    """What PostgreSQL alone finds: any word of the question, ranked by `ts_rank`."""
    statement = """
        SELECT d.platform || '/' || t.tool_name
        FROM tool_catalog.search_documents AS d
        INNER JOIN tool_catalog.tools AS t ON t.id = d.tool_id
        WHERE d.words @@ to_tsquery('english', %(query)s)
        ORDER BY ts_rank(d.words, to_tsquery('english', %(query)s)) DESC LIMIT 5
    """
    with psycopg.connect(catalog.database.libpq_url) as connection:
        query = " | ".join(question_words(text))
        return [row[0] for row in connection.execute(statement, {"query": query})]


def speed(home: Path) -> list[Result]:
    """95th percentile of a whole search, and of its statement for words alone."""
    settings = settings_of(home)
    write_tools(settings.catalog_dir / "tools")
    asked = [one.question for one in questions("development")]
    with open_catalog(settings) as catalog:
        import_catalog(catalog)
        search = ToolSearch(catalog.engine, settings, catalog.store)
        started = time.perf_counter()
        search.refresh()
        indexing = time.perf_counter() - started
        ours = _p95_ms([lambda text=text: search.find(Question(text)) for text in asked])
        with psycopg.connect(catalog.database.libpq_url) as connection:
            floor = _p95_ms([lambda text=text: _plain(connection, text) for text in asked])
    return [
        Result("search index of 10,000 tools made anew", indexing, "s"),
        Result("search: words by PostgreSQL alone, p95 (floor)", floor, "ms"),
        Result("search, p95", ours, "ms", "words by PostgreSQL", ours / floor, Goal("value", 20)),
    ]


def _plain(connection: psycopg.Connection, text: str) -> object:
    statement = """
        SELECT d.tool_id, ts_rank(d.words, q.asked) AS score
        FROM tool_catalog.search_documents AS d, to_tsquery('english', %s) AS q (asked)
        WHERE d.words @@ q.asked ORDER BY score DESC LIMIT 10
    """
    return connection.execute(statement, (" | ".join(question_words(text)),)).fetchall()


def _p95_ms(calls: Sequence[object]) -> float:
    for call in calls[:20]:
        call()
    durations: list[float] = []
    for number in range(REPEATS):
        started = time.perf_counter()
        calls[number % len(calls)]()
        durations.append(1000 * (time.perf_counter() - started))
    return percentile(durations, 0.95)


def write_tools(folder: Path) -> None:
    """Ten thousand tool files that read like the shipped ones."""
    folder.mkdir(parents=True)
    chance = random.Random(20260101)
    shipped = [tool.document() for tool in snapshot_from_yaml(CHECKOUT / "catalog_yaml").latest]
    for number in range(TOOLS):
        one, other = chance.sample(shipped, 2)
        document = dict(one)
        document["tool_name"] = f"{one['tool_name']}_{number}"
        document["description"] = f"{one['description']}; {other['description']} ({number})"
        document["metadata"] = {
            **one["metadata"],
            "tags": chance.choice(shipped)["metadata"]["tags"],
        }
        path = folder / f"{number}.yaml"
        path.write_text(yaml.dump(document, Dumper=yaml.CSafeDumper), encoding="utf-8")
