"""What is looked for: a question in words, filters, a page. Checked before anything is searched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tool_catalog_pipelines.catalog.search.words import question_words
from tool_catalog_pipelines.errors import InvalidInputError, Problem

MAX_PER_PAGE = 100
DEEPEST = 200
"""Hits beyond this rank are not looked at: nobody reads that far, and ranks are meaningless."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a tool must have; None does not restrict.

    `platform` also finds tools for several platforms. Without `state` disabled tools and drafts
    are not found.
    """

    platform: str | None = None
    category: str | None = None
    state: str | None = None
    tag: str | None = None
    capability: str | None = None
    owner: str | None = None
    tenant: str | None = None

    @property
    def parameters(self) -> Mapping[str, str | None]:
        """The filters as parameters of statements."""
        own = {"state": self.state, "owner": self.owner, "only_tenant": self.tenant}
        about = {"platform": self.platform, "category": self.category, "tag": self.tag}
        return {**own, **about, "capability": self.capability}


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its filters, and the page that is wanted, counted from 1."""

    text: str
    filters: Filters = Filters()
    page: int = 1
    per_page: int = 10

    def __post_init__(self) -> None:
        problems: list[Problem] = []
        if not 1 <= self.per_page <= MAX_PER_PAGE:
            problems.append(Problem(f"a page cannot have {self.per_page} hits", hint="1 to 100"))
        if self.page < 1 or (self.page - 1) * self.per_page >= DEEPEST:
            problems.append(
                Problem(f"there is no page {self.page}", hint=f"hits end after {DEEPEST}")
            )
        if problems:
            raise InvalidInputError(problems)

    @property
    def words(self) -> list[str]:
        """The telling words."""
        return question_words(self.text)
