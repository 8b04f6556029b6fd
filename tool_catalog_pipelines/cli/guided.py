"""The conversation of `tool-catalog new`: questions on a terminal, answers kept after each.

Does not belong here: which questions there are and what is wrong with an answer (catalog/drafting).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tool_catalog_pipelines.catalog.drafting.dialogue import Dialogue
from tool_catalog_pipelines.catalog.drafting.question import Question
from tool_catalog_pipelines.catalog.drafting.review import Review, review_of
from tool_catalog_pipelines.catalog.drafting.saving import PLACES, Places, Where, file_of, save
from tool_catalog_pipelines.catalog.drafting.storage import DraftFile
from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.spec.base import JsonValue

HELP, BACK = "?", ("<", "back")
MOST_GAPS = 3
_SAVE_HELP = (
    "yaml: as a file below the YAML folder, for you and version control. database: into the "
    "catalogue, for everybody at once. both. none: only the answers are kept, to go on later."
)


class Prompter(Protocol):
    """Somebody who can be asked; tests answer in place of a person."""

    def ask(self, text: str) -> str:
        """One typed line. EOFError and KeyboardInterrupt end the conversation."""
        ...

    def say(self, text: str, style: str = "") -> None:
        """Text for the person."""
        ...


@dataclass
class Conversation:
    """Asks until the tool is finished and saved; whatever ends it, the answers are kept."""

    dialogue: Dialogue
    draft: DraftFile
    prompter: Prompter
    settings: Settings

    def run(self) -> Places:
        """Ask everything, and save the tool where the person wants it."""
        try:
            return self._asked()
        except (KeyboardInterrupt, EOFError):
            if self.dialogue.answers:
                self._keep()
            raise

    def _asked(self) -> Places:
        while True:
            question = self.dialogue.question
            if question is not None:
                self._ask(question)
                continue
            places = self._finish()
            if places is not None:
                return places

    def _ask(self, question: Question) -> None:
        done, known = self.dialogue.progress
        proposal = self.dialogue.proposal(question)
        self.prompter.say(f"\n{done + 1}/{known} {question.text}", "bold")
        text = self.prompter.ask(_in_brackets(question, proposal)).strip()
        if text == HELP:
            self.prompter.say(f"{question.help}\n{_MARKS}", "cyan")
        elif text.lower() in BACK:
            self._back()
        else:
            self._give(question, text)

    def _give(self, question: Question, text: str) -> None:
        problem = self.dialogue.give(text)
        if problem is not None:
            self._complain(problem)
            return
        self._keep()
        value = self.dialogue.answers[question.key]
        if question.echo is not None and value is not None:
            self.prompter.say(question.echo(value, self.dialogue.now), "cyan")

    def _back(self) -> None:
        if self.dialogue.back():
            self._keep()
        else:
            self.prompter.say("this is the first question", "yellow")

    def _keep(self) -> None:
        self.draft.keep(self.dialogue.answers, self.dialogue.remembered)

    def _complain(self, problem: Problem) -> None:
        self.prompter.say(problem.message, "red")
        if problem.hint:
            self.prompter.say(f"    {problem.hint}")

    def _finish(self) -> Places | None:
        """Show the tool and save it; None to ask again."""
        spec = self.dialogue.spec
        self.prompter.say("\nThis is the tool:\n", "bold")
        show_review(self.prompter, review_of(spec))
        self.prompter.say("\nWhere shall it be saved: yaml, database, both or none?", "bold")
        text = self.prompter.ask("[yaml]").strip().lower() or "yaml"
        if text == HELP:
            self.prompter.say(_SAVE_HELP, "cyan")
        elif text in BACK:
            self._back()
        elif text not in PLACES:
            self._complain(Problem(f"there is no place {text!r}", hint=_SAVE_HELP))
        else:
            return self._save(text)
        return None

    def _save(self, where: Where) -> Places | None:
        if where == "none":
            return Places()
        spec = self.dialogue.spec
        path = file_of(spec, self.settings)
        may_replace = False
        if where in ("yaml", "both") and path.exists():
            self.prompter.say(f"{path} exists already. Replace it: yes or no?", "yellow")
            may_replace = self.prompter.ask("[no]").strip().lower() in ("y", "yes")
            if not may_replace:
                return None
        places = save(spec, where, self.settings, may_replace)
        self.draft.remove()
        return places


_MARKS = "? shows this, < or back goes one question back, - answers none where that is possible."


def show_review(prompter: Prompter, review: Review) -> None:
    """The tool's file, its quality with the first gaps, and advice."""
    prompter.say(review.text)
    quality = review.quality
    prompter.say(f"quality: {quality.points} of 100 points", "bold")
    for gap in quality.gaps[:MOST_GAPS]:
        prompter.say(f"  {gap.points:g} more: {gap.remedy}")
    for problem in review.advice:
        prompter.say(f"advice: {problem.message} ({problem.hint})", "yellow")


def _in_brackets(question: Question, proposal: JsonValue) -> str:
    if proposal is not None:
        return f"[{question.show(proposal)}]"
    return "[none]" if question.is_optional else ""
