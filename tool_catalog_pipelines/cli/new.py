"""`tool-catalog new`: a new tool by questions and answers, from a file of answers, or a template.

The conversation itself is in guided.py. Does not belong here: rules of answers (catalog/drafting).
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tool_catalog_pipelines.cli.harmless import one_line
from tool_catalog_pipelines.cli.options import JsonOption, shown_path
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.errors import InvalidInputError, ToolCatalogError
from tool_catalog_pipelines.settings import Settings, load_settings

if TYPE_CHECKING:
    from tool_catalog_pipelines.catalog.drafting.review import Review
    from tool_catalog_pipelines.catalog.drafting.saving import Places
    from tool_catalog_pipelines.catalog.drafting.storage import DraftFile
    from tool_catalog_pipelines.cli.guided import Conversation
    from tool_catalog_pipelines.spec.tool import ToolSpec

INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("new")(new)


def new(
    name: Annotated[str | None, typer.Argument(help="Name of the tool, or of the draft.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a draft.")] = False,
    answers: Annotated[
        Path | None, typer.Option("--from", help="A YAML file with all answers; nothing is asked.")
    ] = None,
    save: Annotated[
        str | None, typer.Option(help="With --from: yaml (if not said), database, both or none.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="With --from: replace an existing file.")] = False,
    template: Annotated[
        str | None, typer.Option(help="Print a commented file: command, http or python.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a tool: answer questions, each checked at once; the tool is valid at the end."""
    _check_options(answers, save, overwrite, template, as_json=as_json, resume=resume)
    if template is not None:
        _print_template(template)
    elif answers is not None:
        _from_file(answers, save or "yaml", overwrite, Screen(as_json))
    else:
        _guided(name, resume)


def _check_options(
    answers: Path | None,
    save: str | None,
    overwrite: bool,
    template: str | None,
    as_json: bool,
    resume: bool,
) -> None:
    given = [answers is not None, template is not None, resume]
    if sum(given) > 1:
        raise InvalidInputError.one("--from, --template and --resume exclude each other")
    if answers is None and (save is not None or overwrite or as_json):
        hint = "give --from FILE, or leave --save, --overwrite and --json out"
        raise InvalidInputError.one("without --from the questions are asked", hint)


def _print_template(kind: str) -> None:
    from tool_catalog_pipelines.catalog.drafting.templates import TEMPLATES

    if kind not in TEMPLATES:
        raise InvalidInputError.one(
            f"there is no template {kind!r}", f"one of {', '.join(TEMPLATES)}"
        )
    typer.echo(TEMPLATES[kind], nl=False)


def _from_file(path: Path, save_to: str, overwrite: bool, screen: Screen) -> None:
    from tool_catalog_pipelines.catalog.drafting.answers_file import spec_from
    from tool_catalog_pipelines.catalog.drafting.known import known_here
    from tool_catalog_pipelines.catalog.drafting.review import review_of
    from tool_catalog_pipelines.catalog.drafting.saving import PLACES, save
    from tool_catalog_pipelines.spec.load import read_file

    if save_to not in PLACES:
        raise InvalidInputError.one(f"--save cannot be {save_to!r}", f"one of {', '.join(PLACES)}")
    settings = load_settings()
    spec = spec_from(read_file(path), known_here(settings))
    review = review_of(spec)
    places = save(spec, save_to, settings, overwrite)
    screen.result(_as_json(spec, review, places))
    if not screen.as_json:
        if save_to == "none":
            screen.say(review.text)
        _say_places(screen, spec, places)
        screen.say(f"quality: {review.quality.points} of 100 points")


def _guided(name: str | None, resume: bool) -> None:
    from tool_catalog_pipelines.catalog.drafting.storage import DraftFile

    if not sys.stdin.isatty():
        raise InvalidInputError.one(
            "nobody can be asked: standard input is no terminal",
            "give --from FILE with all answers, or --template command|http|python > FILE",
        )
    with contextlib.suppress(ImportError):  # lines can be edited where the library is there
        importlib.import_module("readline")
    settings = load_settings()
    screen = Screen()
    draft = DraftFile(settings.drafts_dir)
    with _kept(draft, screen):
        conversation = _conversation(settings, screen, draft)
        _begin(conversation, name, resume)
        places = conversation.run()
        spec = conversation.dialogue.spec
        _say_places(screen, spec, places)
        if draft.path is not None:
            screen.say(_how_to_resume(draft))


@contextmanager
def _kept(draft: DraftFile, screen: Screen) -> Generator[None]:
    """Whatever ends the conversation, say that nothing is lost and how to go on."""
    try:
        yield
    except (KeyboardInterrupt, EOFError):
        screen.say("")
        screen.say(_how_to_resume(draft) if draft.path else "nothing was answered yet", "yellow")
        raise typer.Exit(INTERRUPTED) from None
    except ToolCatalogError:
        if draft.path is not None:
            screen.say(_how_to_resume(draft), "yellow")
        raise


def _how_to_resume(draft: DraftFile) -> str:
    name = draft.path.stem if draft.path else ""
    return f"every answer is kept in {draft.path}; go on with: tool-catalog new --resume {name}"


def _conversation(settings: Settings, screen: Screen, draft: DraftFile) -> Conversation:
    from tool_catalog_pipelines.catalog.drafting.dialogue import Dialogue
    from tool_catalog_pipelines.catalog.drafting.known import known_here
    from tool_catalog_pipelines.cli.guided import Conversation

    return Conversation(Dialogue(known_here(settings)), draft, _Terminal(screen), settings)


def _begin(conversation: Conversation, name: str | None, resume: bool) -> None:
    """Take up an earlier conversation, or begin one."""
    from tool_catalog_pipelines.catalog.drafting.storage import draft_names, find_draft, read_draft

    dialogue, prompter = conversation.dialogue, conversation.prompter
    prompter.say("? helps, < goes back, Enter takes what stands in brackets, Ctrl-C stops.", "dim")
    folder = conversation.settings.drafts_dir
    if not resume:
        if name is not None:
            dialogue.remembered["tool_name"] = name
        for found in draft_names(folder):
            prompter.say(f"unfinished: tool-catalog new --resume {found}", "dim")
        return
    path = find_draft(folder, name)
    kept = read_draft(path)
    conversation.draft.path = path
    dialogue.restore(kept.answers, kept.remembered)
    prompter.say(f"{len(dialogue.answers)} answers of {path.stem} are kept:", "bold")
    for key, value in dialogue.answers.items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        prompter.say(f"  {key}: {'none' if value is None else shown}")
    if kept.answers.keys() - dialogue.answers.keys():
        prompter.say("the next one is not right any more, so it is asked again", "yellow")


class _Terminal:
    """A person at a terminal."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def ask(self, text: str) -> str:
        return input(f"{one_line(text)} > " if text else "> ")

    def say(self, text: str, style: str = "") -> None:
        self._screen.say(text, style)


def _say_places(screen: Screen, spec: ToolSpec, places: Places) -> None:
    if places.version is not None:
        note = f" ({places.version.note})" if places.version.note else ""
        outcome = places.version.outcome.replace("_", " ")
        screen.say(f"in the catalogue: {places.version.label}, {outcome}{note}")
    if places.file is not None:
        file = shown_path(places.file)
        screen.say(f"written: {file}")
        screen.say(f"try it: tool-catalog test {file}")
    elif places.version is not None:
        screen.say(f"try it: tool-catalog test {spec.platform}/{spec.tool_name}")


def _as_json(spec: ToolSpec, review: Review, places: Places) -> Mapping[str, Any]:
    gaps = [{"points": gap.points, "remedy": gap.remedy} for gap in review.quality.gaps]
    version = places.version
    return {
        "tool": f"{spec.platform}/{spec.tool_name}",
        "version": spec.version,
        "file": str(places.file) if places.file else None,
        "saved": {"tool": version.label, "outcome": version.outcome} if version else None,
        "quality": {"points": review.quality.points, "gaps": gaps},
        "advice": [{"message": one.message, "hint": one.hint} for one in review.advice],
        "yaml": review.text,
    }
