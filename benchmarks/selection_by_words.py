"""Selection from words alone: how often right, how often refused, how much slower than a search.

Beside it stand the two plain ways to get a tool for words: the first hit of the search, and the
first hit of PostgreSQL's full text. The questions and the tools that answer them are those of the
search; requests that no tool answers are in `questions/off_topic.yaml`.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from benchmarks.catalogue import percentile, settings_of
from benchmarks.results import Goal, Result
from benchmarks.search import (
    QUESTIONS,
    TOOLS,
    Asked,
    labels_by_plain_text,
    labels_found,
    questions,
    write_tools,
)
from tool_catalog_pipelines.catalog.connect import open_catalog
from tool_catalog_pipelines.catalog.importer import import_catalog
from tool_catalog_pipelines.catalog.search.question import Question
from tool_catalog_pipelines.catalog.search.search import ToolSearch
from tool_catalog_pipelines.catalog.yaml_source import snapshot_from_yaml
from tool_catalog_pipelines.cli.select_answers import Session
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.selection.asked import topic_of
from tool_catalog_pipelines.selection.candidates import Candidate
from tool_catalog_pipelines.selection.capability import HITS
from tool_catalog_pipelines.selection.sentences import short_label
from tool_catalog_pipelines.settings import CHECKOUT, Settings

HALVES = ("development", "final")
REPEATS = 400
SELECTION = "selection by words"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one question.

    Attributes:
        code: of the refusal; empty if a tool was chosen.
        tool: the chosen one.
        offered: the chosen one and its alternatives.
        named: these, and the tools of other capabilities that the answer names.
        capability: the chosen one.
        pattern: the chosen one, as `platform/name pattern`.
    """

    code: str
    tool: str = ""
    offered: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    capability: str = ""
    pattern: str = ""


def measure(halves: Sequence[str] = HALVES) -> list[Result]:
    """Quality on the shipped tools, speed on many."""
    with tempfile.TemporaryDirectory(prefix="tcb-") as folder:
        Path(folder).chmod(0o755)
        shipped, many = settings_of(Path(folder) / "shipped"), settings_of(Path(folder) / "many")
        shipped.catalog_dir.parent.mkdir(parents=True, exist_ok=True)
        shipped.catalog_dir.symlink_to(CHECKOUT / "catalog_yaml")
        write_tools(many.catalog_dir / "tools")
        return [*quality(shipped, halves), *speed(many)]


def quality(settings: Settings, halves: Sequence[str]) -> list[Result]:
    """Shares of questions that are answered rightly, and of those that are refused."""
    found: list[Result] = []
    with open_catalog(settings) as catalog:
        import_catalog(catalog)
        search = ToolSearch(catalog.engine, settings, catalog.store)
        search.refresh()
        with Session(settings) as session:
            for half in halves:
                asked = questions(half)
                plain = _share(asked, lambda text: labels_by_plain_text(catalog, text)[:1])
                first = _share(asked, lambda text: labels_found(search, text)[:1])
                found += _of_half(half, asked, plain, first, session)
                found += _patterns(half, session)
                found += _off_topic(half, session)
    return found


def _of_half(
    half: str, asked: Sequence[Asked], plain: float, first: float, session: Session
) -> list[Result]:
    name = f"{SELECTION}, {half} half of {len(asked)} questions"
    answers = [(one, answer_of(session, one.question)) for one in asked]
    counts: Counter[str] = Counter()
    for one, answer in answers:
        right = set(one.tools)
        counts["chosen"] += answer.tool in right
        counts["offered"] += bool(answer.offered & right)
        counts["named"] += bool(answer.named & right)
        counts["capability"] += answer.capability in _capabilities(right)
        counts[answer.code] += 1
    share = {key: 100 * count / len(asked) for key, count in counts.items()}
    beside = "first hit of the search"
    return [
        Result(f"{name}: first hit of plain full text is right", plain, "%"),
        Result(f"{name}: first hit of the search is right", first, "%"),
        Result(f"{name}: chosen tool is right", share["chosen"], "%", beside,
               share["chosen"] / first),
        Result(f"{name}: chosen one or an alternative is right", share["offered"], "%"),
        Result(f"{name}: any tool that the answer names is right", share["named"], "%"),
        Result(f"{name}: capability is right", share["capability"], "%"),
        Result(f"{name}: refused, nothing fits", share.get("no_candidates", 0.0), "%"),
        Result(f"{name}: refused by policies", share.get("all_refused", 0.0), "%"),
    ]  # fmt: skip


def _patterns(half: str, session: Session) -> list[Result]:
    """Share of requests that get the right pattern, not just the right capability."""
    rows = yaml.safe_load((QUESTIONS / "patterns.yaml").read_text("utf-8"))[half]
    # Some of them are not safe in production, which is not the question here.
    answers = [answer_of(session, row["question"], "elsewhere").pattern for row in rows]
    right = sum(found in row["patterns"] for found, row in zip(answers, rows, strict=True))
    name = f"{SELECTION}, {half} half of {len(rows)} requests for one of several patterns"
    return [Result(f"{name}: pattern is right", 100 * right / len(rows), "%")]


def _off_topic(half: str, session: Session) -> list[Result]:
    texts: list[str] = yaml.safe_load((QUESTIONS / "off_topic.yaml").read_text("utf-8"))[half]
    refused = sum(answer_of(session, text).code == "no_candidates" for text in texts)
    name = f"{SELECTION}, {half} half of {len(texts)} requests that no tool answers"
    return [Result(f"{name}: refused", 100 * refused / len(texts), "%")]


def answer_of(session: Session, text: str, environment: str | None = None) -> Answer:
    """What selection makes of a question."""
    try:
        choice, meaning = session.choose({"query": text, "environment": environment})
    except InvalidInputError as error:
        return Answer(error.problems[0].code)
    assert meaning is not None
    chosen = choice.chosen.candidate
    offered = {_label(chosen), *(_label(one.candidate) for one in choice.alternatives)}
    named = offered | {meaning.meant.tool, *(one.tool for one in meaning.others)}
    return Answer(
        code="",
        tool=_label(chosen),
        offered=frozenset(offered),
        named=frozenset(named),
        capability=chosen.capability,
        pattern=short_label(chosen),
    )


def speed(settings: Settings) -> list[Result]:
    """95th percentile of a whole request, and of its search alone."""
    asked = [one.question for one in questions("development")]
    with open_catalog(settings) as catalog:
        import_catalog(catalog)
        search = ToolSearch(catalog.engine, settings, catalog.store)
        search.refresh()
        with Session(settings) as session:
            alone, whole = _p95s_ms(
                lambda text: search.find(Question(topic_of(text), per_page=HITS)),
                lambda text: _selected(session, text),
                asked,
            )
    name = f"among {TOOLS:,} tools, p95 of a request in a batch"
    return [
        Result(f"{SELECTION} {name}: its search alone", alone, "ms"),
        Result(f"{SELECTION} {name}", whole, "ms", "its search alone", whole / alone,
               Goal("ratio", 2)),
    ]  # fmt: skip


def _selected(session: Session, text: str) -> None:
    with suppress(InvalidInputError):
        session.answer({"query": text})


def _p95s_ms(
    one: Callable[[str], object], other: Callable[[str], object], texts: Sequence[str]
) -> tuple[float, float]:
    """Of two calls in turn, so that whatever else happens on the machine hits both."""
    for text in texts:
        one(text)
        other(text)
    durations: tuple[list[float], list[float]] = ([], [])
    for number in range(REPEATS):
        for call, taken in zip((one, other), durations, strict=True):
            started = time.perf_counter()
            call(texts[number % len(texts)])
            taken.append(1000 * (time.perf_counter() - started))
    return percentile(durations[0], 0.95), percentile(durations[1], 0.95)


def _share(asked: Sequence[Asked], find: Callable[[str], list[str]]) -> float:
    return 100 * sum(bool(set(find(one.question)) & set(one.tools)) for one in asked) / len(asked)


def _capabilities(tools: set[str]) -> set[str]:
    """What these tools can do, of those that are shipped."""
    return set[str]().union(*(_shipped().get(tool, ()) for tool in tools))


@lru_cache(maxsize=1)
def _shipped() -> Mapping[str, frozenset[str]]:
    return {
        tool.label.partition("@")[0]: frozenset(tool.document()["capabilities"])
        for tool in snapshot_from_yaml(CHECKOUT / "catalog_yaml").latest
    }


def _label(candidate: Candidate) -> str:
    return candidate.tool.label.partition("@")[0]
