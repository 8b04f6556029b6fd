"""Lines of a spool -> the table, so that one bad fact never holds up the others.

Belongs here: what happens to a batch. Does not belong here: files (spool_file.py), when it is
tried (recorder.py), how rows are written (writer.py).

A fact that the table refuses goes to `rejected/` beside the spool files, one file each with the
reason, and is never tried again by itself. The file's name is the hash of the line, so a batch
that is delivered twice rejects it once.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from tool_catalog_pipelines.errors import TransientError
from tool_catalog_pipelines.facts import Execution
from tool_catalog_pipelines.telemetry.lines import from_line
from tool_catalog_pipelines.telemetry.spool_file import Lines

BATCH_FACTS = 500
REJECTED = "rejected"
Write = Callable[[Sequence[Execution]], int]
_Waiting = list[tuple[bytes, Execution]]
_logger = logging.getLogger(__name__)


def deliver(batch: Lines, write: Write, folder: Path) -> int:
    """Write a batch and return how many facts were new to the table.

    Raises:
        TransientError: PostgreSQL is away; deliver the whole batch again later.
    """
    waiting: _Waiting = []
    for line in batch.lines:
        try:
            waiting.append((line, from_line(line)))
        except ValueError as error:
            torn = "" if line.endswith(b"\n") else "cut off when its process died: "
            reject(folder, line, f"{torn}{error}")
    return _write(waiting, write, folder) if waiting else 0


def reject(folder: Path, line: bytes, reason: str) -> Path:
    """Set a line aside where a person will find it, together with the reason."""
    target = folder / REJECTED / f"{hashlib.sha256(line).hexdigest()[:32]}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    document = {"reason": reason, "line": line.decode("utf-8", "backslashreplace").rstrip("\n")}
    draft = target.with_suffix(f".{os.getpid()}.part")
    draft.write_text(json.dumps(document, indent=2), encoding="utf-8")
    draft.replace(target)
    _logger.warning("a fact was set aside in %s: %s", target, reason)
    return target


def _write(waiting: _Waiting, write: Write, folder: Path) -> int:
    """Write facts; on a refusal halve them until the refused ones stand alone."""
    try:
        return write([fact for _line, fact in waiting])
    except TransientError:
        raise
    except Exception as error:  # whatever refuses one fact must not stop the others
        if len(waiting) == 1:
            reject(folder, waiting[0][0], f"{type(error).__name__}: {error}"[:2000])
            return 0
    middle = len(waiting) // 2
    return _write(waiting[:middle], write, folder) + _write(waiting[middle:], write, folder)
