"""Unfinished answers on disk: one private file per conversation, written whole or not at all.

It is written after every answer, so that nothing is lost however the program ends. Does not belong
here: what the answers mean.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tool_catalog_pipelines.errors import InvalidInputError, TerminalError
from tool_catalog_pipelines.spec.base import JsonValue

FORMAT = 1
MAX_DRAFT_BYTES = 4_194_304
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_UNNAMED = "unnamed"
_NUMBERED = "~"
"""Between the name of a tool and a number, for further drafts of one name."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a draft file holds; see dialogue.Dialogue."""

    answers: dict[str, JsonValue]
    remembered: dict[str, JsonValue]


class DraftFile:
    """The file of one conversation; its name follows the name of the tool."""

    def __init__(self, folder: Path, path: Path | None = None) -> None:
        self._folder = folder
        self.path = path

    def keep(self, answers: Mapping[str, JsonValue], remembered: Mapping[str, JsonValue]) -> None:
        """Write what was answered so far; never over a draft of another conversation.

        Raises:
            TerminalError: it cannot be written.
        """
        document = {"format": FORMAT, "answers": answers, "remembered": remembered}
        text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
        wanted = _stem(answers)
        old = self.path
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            fits = old is not None and old.stem.partition(_NUMBERED)[0] == wanted
            path = old if old is not None and fits else self._claimed(wanted)
            _write(path, text)
            self.path = path
            if old is not None and old != path:
                old.unlink(missing_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise TerminalError(f"the answers cannot be kept in {self._folder}: {reason}") from None

    def remove(self) -> None:
        """Nothing is left to keep."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
            self.path = None

    def _claimed(self, wanted: str) -> Path:
        """A file of that name, or of that name with a number, that nobody else has."""
        number = 1
        while True:
            name = wanted if number == 1 else f"{wanted}{_NUMBERED}{number}"
            path = self._folder / f"{name}.json"
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                number += 1
            else:
                return path


def draft_names(folder: Path) -> tuple[str, ...]:
    """The names of the drafts of a folder, the last written last."""
    found = [path for path in folder.glob("*.json") if not path.name.startswith(".")]
    return tuple(path.stem for path in sorted(found, key=lambda path: path.stat().st_mtime_ns))


def find_draft(folder: Path, name: str | None) -> Path:
    """The draft of a name; without a name the only one.

    Raises:
        InvalidInputError: there is none, or several.
    """
    names = draft_names(folder)
    known = f"drafts: {', '.join(sorted(names))}" if names else "`tool-catalog new` begins one"
    if name is None and len(names) > 1:
        raise InvalidInputError.one("several drafts can be resumed", f"name one; {known}")
    if not names or (name is not None and name not in names):
        of = f" of {name!r}" if name else ""
        raise InvalidInputError.one(f"there is no draft{of}", known)
    return folder / f"{name or names[0]}.json"


def read_draft(path: Path) -> Kept:
    """What a draft holds; a damaged one is left as it is.

    Raises:
        InvalidInputError: it cannot be read, or holds something else.
    """
    try:
        with path.open("rb") as file:
            document: JsonValue = json.loads(file.read(MAX_DRAFT_BYTES + 1).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from None
    fields = cast("dict[str, JsonValue]", document) if isinstance(document, dict) else {}
    answers, remembered = fields.get("answers"), fields.get("remembered")
    is_whole = isinstance(answers, dict) and isinstance(remembered, dict)
    if not is_whole or fields.get("format") != FORMAT:
        raise _damaged(path, "it holds something else than answers")
    return Kept(cast("dict[str, JsonValue]", answers), cast("dict[str, JsonValue]", remembered))


def _damaged(path: Path, reason: str) -> InvalidInputError:
    return InvalidInputError.one(
        f"the draft {path} is damaged: {reason}",
        "it was left as it is; mend it, or remove it and begin again with `tool-catalog new`",
    )


def _stem(answers: Mapping[str, JsonValue]) -> str:
    name = str(answers.get("tool_name", ""))
    return name if _NAME.fullmatch(name) else _UNNAMED


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
