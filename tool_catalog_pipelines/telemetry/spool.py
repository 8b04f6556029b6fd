"""The spool folder: delivering what dead processes left there.

A process owns a file as long as it holds the lock on it; the kernel frees the lock at any kind of
death. Does not belong here: the files of a living recorder (recorder.py).
"""

from __future__ import annotations

import logging
from pathlib import Path

from tool_catalog_pipelines.errors import TransientError
from tool_catalog_pipelines.telemetry.delivery import BATCH_FACTS, Write, deliver
from tool_catalog_pipelines.telemetry.spool_file import SUFFIX, SpoolFile

_logger = logging.getLogger(__name__)


def deliver_spool(spool_dir: Path, write: Write) -> int:
    """Deliver the files of dead processes, remove them, and return how many facts were new.

    Files of living processes stay with them. If PostgreSQL is away, the facts stay on disk for the
    next call. Memory is bounded by one batch.
    """
    stored = 0
    for path in sorted(spool_dir.glob(f"*{SUFFIX}")):
        file = SpoolFile.take_over(path)
        if file is None:
            continue
        try:
            stored += _deliver_file(file, write)
            path.unlink(missing_ok=True)
        except TransientError as error:
            _logger.warning("facts of an earlier process wait in %s: %s", path, error)
            break
        finally:
            file.close()
    return stored


def _deliver_file(file: SpoolFile, write: Write) -> int:
    start = stored = 0
    end = file.size
    while start < end:
        batch = file.read(start, end, BATCH_FACTS)
        stored += deliver(batch, write, file.path.parent)
        start = batch.end
    return stored
