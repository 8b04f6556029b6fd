"""What `tool-catalog select` and `assign` answer, in one installation.

A session keeps what was read, so that a batch reads the catalogue, the marts and the search index
once. Does not belong here: options and text (select.py), the choice itself (selection/).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Self

from tool_catalog_pipelines.catalog.sources import installed_snapshot
from tool_catalog_pipelines.cli.batch import Document
from tool_catalog_pipelines.cli.fields import Fields
from tool_catalog_pipelines.cli.options import storable
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.cli.search import opened_search
from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.judgement.successes import success_history
from tool_catalog_pipelines.selection.asked import topic_of
from tool_catalog_pipelines.selection.candidates import CandidateIndex
from tool_catalog_pipelines.selection.capability import (
    HITS,
    CapabilityFinder,
    Meaning,
)
from tool_catalog_pipelines.selection.choice import Choice, select
from tool_catalog_pipelines.selection.explanation import choice_as_json, meaning_as_json
from tool_catalog_pipelines.selection.exposed_choice import exposed
from tool_catalog_pipelines.selection.exposure import experiment_named, exposure_of
from tool_catalog_pipelines.selection.need import Need
from tool_catalog_pipelines.selection.policy import ALL_PERMISSIONS, PRODUCTION
from tool_catalog_pipelines.selection.sentences import choice_as_text
from tool_catalog_pipelines.selection.tie_break import find_tie_breaker
from tool_catalog_pipelines.settings import Settings

if TYPE_CHECKING:
    from tool_catalog_pipelines.catalog.search.search import ToolSearch

SELECT_KEYS = (
    "query", "capability", "var", "environment", "mode", "weights", "max_cost", "max_time_ms",
    "permissions", "platform", "executable", "require_production_safe", "metadata", "user",
    "unit", "explain",
)  # fmt: skip


_NOTHING_TO_SEARCH = Problem(
    "there is no tool to choose from",
    hint="`tool-catalog import` brings tools in; a filter for a platform may leave none",
    code="no_candidates",
)


class Session:
    """Answers of one installation; close it at the end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._snapshot = installed_snapshot(settings)
        self._open = ExitStack()
        self._search: ToolSearch | None = None
        self._index = lru_cache(maxsize=16)(self._made_index)
        self._finder = lru_cache(maxsize=16)(self._made_finder)

    def __enter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the database if it was opened."""
        self._open.close()

    def choose(self, document: Document) -> tuple[Choice, Meaning | None]:
        """The choice for a document, and what its words mean if it names no capability."""
        need = need_of(document, self._settings.environment, self._settings.actor)
        meaning = None
        if not need.capabilities:
            meaning = self._meaning(need)
            need = replace(need, capabilities=(meaning.meant.capability,), ways=meaning.ways)
        index = self._index(need.environment)
        choice = select(need, index, find_tie_breaker(self._settings.tie_breaker))
        return exposed(replace(choice, remarks=self._remarks(need)), index), meaning

    def _remarks(self, need: Need) -> tuple[str, ...]:
        """An environment that nobody knows is mostly a typing mistake."""
        if need.environment in (self._settings.environment, *self._environments):
            return ()
        return (
            f"no tool, experiment or setting names the environment {need.environment!r} "
            f"(they name {', '.join(sorted(self._environments))}), and what holds for production "
            "does not hold in it",
        )

    @cached_property
    def _environments(self) -> frozenset[str]:
        named = {name for tool in self._snapshot.tools for name in tool.header.environments}
        targets = {spec.target_environment for spec in self._snapshot.seen_experiments}
        return frozenset({PRODUCTION, *named, *(name for name in targets if name)})

    def answer(self, document: Document) -> dict[str, Any]:
        """The choice as JSON."""
        choice, meaning = self.choose(document)
        found = meaning_as_json(meaning) if meaning else None
        answer = {**choice_as_json(choice), "found_by": found}
        return (
            {**answer, "text": choice_as_text(choice, meaning)}
            if document.get("explain")
            else answer
        )

    def assignment(self, document: Document) -> dict[str, Any]:
        """`experiment`, `unit`, `environment`, `user` -> arm, version, whether it takes part."""
        fields = Fields(document, ("experiment", "unit", "environment", "user"))
        name, unit = fields.text("experiment"), fields.text("unit")
        for key, value in (("experiment", name), ("unit", unit)):
            if not value:
                fields.add(
                    f"there is no {key}", f'assign EXPERIMENT UNIT, or {{"{key}": "..."}} in a line'
                )
        environment = fields.text("environment") or self._settings.environment
        user = fields.text("user")
        fields.check()
        spec = experiment_named(name or "", self._snapshot)
        if spec.unit == "user" and user not in (None, unit):
            message = f"{spec.experiment} assigns users: the unit is {unit!r}, the user {user!r}"
            raise InvalidInputError.one(message, "leave the user out")
        user = user or (unit if spec.unit == "user" else None) or self._settings.actor
        exposure = exposure_of(spec, environment, user, storable(unit))
        return {
            "experiment": spec.experiment,
            "unit": unit,
            "arm": exposure.arm,
            "tool": spec.tool,
            "version": exposure.version,
            "exposed": exposure.is_exposed,
            "reason": exposure.reason or None,
        }

    def _made_index(self, environment: str) -> CandidateIndex:
        seen = replace(self._snapshot, environment=environment)
        return CandidateIndex(seen, success_history(self._settings, environment))

    def _made_finder(self, environment: str) -> CapabilityFinder:
        return CapabilityFinder(self._index(environment))

    def _meaning(self, need: Need) -> Meaning:
        """What the words of a need mean, as the search finds it."""
        from tool_catalog_pipelines.catalog.search.question import Filters, Question

        if self._search is None:
            opened = opened_search(Screen(as_json=True), self._settings)
            self._search = self._open.enter_context(opened)
        filters = Filters(platform=need.platform)
        page = self._search.find(Question(topic_of(need.query), filters, per_page=HITS))
        if page.searched == 0:
            raise InvalidInputError([_NOTHING_TO_SEARCH])
        return self._finder(need.environment).meaning(need, page.hits, page.corrections)


def need_of(document: Document, environment: str, user: str) -> Need:
    """A document as a need; environment and user hold where it names none.

    Raises:
        InvalidInputError: with every problem.
    """
    fields = Fields(document, SELECT_KEYS)
    permissions = fields.texts("permissions")
    fields.flag("explain")
    given: Mapping[str, Any] = {
        "capabilities": fields.texts("capability") or (),
        "query": fields.text("query", "") or "",
        "variables": fields.mapping("var") or {},
        "metadata": fields.mapping("metadata") or {},
        "environment": fields.text("environment") or environment,
        "permissions": ALL_PERMISSIONS if permissions is None else frozenset(permissions),
        "max_cost": fields.number("max_cost"),
        "max_time_ms": fields.number("max_time_ms"),
        "mode": fields.text("mode"),
        "weights": fields.mapping("weights"),
        "platform": storable(fields.text("platform")),
        "executable_only": fields.flag("executable"),
        "require_production_safe": fields.flag("require_production_safe", default=True),
        "user": storable(fields.text("user")) or user,
        "unit": storable(fields.text("unit")),
    }
    if not given["capabilities"] and document.get("query") is None:
        fields.add("nothing says what must be done", "give a query, a capability or both")
    if given["mode"] and given["weights"] is not None:
        fields.add("there are a mode and weights", "keep one of them")
    fields.check()
    return Need(**given)
