"""The questions about a new tool, in their order; only those that the answers so far call for.

Here are the order and the questions of identity. Does not belong here: what an answer becomes
(draft.py), what is proposed (proposals.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from tool_catalog_pipelines.catalog.drafting import checks, proposals
from tool_catalog_pipelines.catalog.drafting.binding_questions import (
    COMMAND_QUESTIONS,
    HTTP_QUESTIONS,
    python_questions,
)
from tool_catalog_pipelines.catalog.drafting.input_questions import input_questions
from tool_catalog_pipelines.catalog.drafting.known import Known
from tool_catalog_pipelines.catalog.drafting.output_questions import (
    EXAMPLE_QUESTIONS,
    OUTPUT_QUESTIONS,
)
from tool_catalog_pipelines.catalog.drafting.purpose_questions import PURPOSE_QUESTIONS
from tool_catalog_pipelines.catalog.drafting.question import Question, Situation
from tool_catalog_pipelines.spec.tool import Category, Platform

KINDS = ("command", "http", "python")


def asked(now: Situation) -> Iterator[Question]:
    """Every question that applies after these answers, in order, also those answered."""
    return (question for question in _every(now) if question.applies(now))


def known_keys() -> frozenset[str]:
    """The keys that can stand at the top of a file of answers."""
    every = _every(Situation({}, Known()))
    return frozenset(question.key.partition(".")[0] for question in every) | {"inputs"}


def _every(now: Situation) -> tuple[Question, ...]:
    return (
        *_identity(now), *COMMAND_QUESTIONS, *HTTP_QUESTIONS, *python_questions(now),
        *input_questions(now), *OUTPUT_QUESTIONS, *PURPOSE_QUESTIONS, *EXAMPLE_QUESTIONS,
    )  # fmt: skip


def _identity(now: Situation) -> tuple[Question, ...]:
    platforms, categories = get_args(Platform), get_args(Category)
    label = f"{now.text('platform')}/{now.text('tool_name')}"
    return (
        Question(
            key="tool_name",
            text="What is the tool called?",
            help="A short name by which people and chains call it: letters, digits, '.', '_' and "
            "'-'. Platform and name together are unique.",
        ),
        Question(
            key="platform",
            text="On which platform does it work?",
            help=f"One of {', '.join(platforms)}.",
            check=checks.one_of(platforms, "platform"),
            default=lambda _: "linux",
        ),
        Question(
            key="version",
            text=f"{label} is in the catalogue already, as version "
            f"{checks.existing_version(now)}. Which version is yours?",
            help="A higher version replaces the tool of that name for all who follow it. To make "
            "another tool, go back with < and choose another name.",
            applies=lambda now: checks.existing_version(now) is not None,
            check=checks.check_version,
        ),
        Question(
            key="category",
            text="To which category does it belong?",
            help=f"One of {', '.join(categories)}.",
            check=checks.one_of(categories, "category"),
            default=proposals.category,
        ),
        Question(
            key="description",
            text="What is it for, in one sentence?",
            help="Search reads this, so use the words of those who need it. 40 characters or more "
            "make a good description.",
            check=checks.check_text,
        ),
        Question(
            key="kind",
            text="How is it executed: command, http or python?",
            help="command: a program with arguments, without a shell. http: a call of a web "
            "service. python: a registered Python function.",
            check=checks.one_of(KINDS, "kind"),
            default=lambda _: "command",
        ),
    )
