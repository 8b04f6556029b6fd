"""What one process has recorded and PostgreSQL has not confirmed, in order, on disk.

Belongs here: the row of files of one recorder and the positions in it. Does not belong here:
threads and timing (recorder.py), where facts go (delivery.py).

Positions count bytes since the recorder began. Memory is bounded whatever the backlog: a batch is
read from disk when it is its turn. The disk is bounded too: a file whose facts are confirmed is
emptied, and under a load that never pauses a full file is followed by a new one and then removed.
A file keeps confirmed facts until then, so after a crash some are delivered twice; the table
ignores them.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from pathlib import Path

from tool_catalog_pipelines.errors import EnvironmentUnfitError, TerminalError
from tool_catalog_pipelines.telemetry.spool_file import Lines, SpoolFile

FILE_BYTES = 32_000_000


class Backlog:
    """Waiting lines of this process. Any thread appends; one thread reads and confirms."""

    def __init__(self, folder: Path, file_bytes: int = FILE_BYTES) -> None:
        self._folder = folder
        self._file_bytes = file_bytes
        self._guard = threading.Lock()
        self._files = deque([SpoolFile.create(folder)])
        self._offset = 0
        self._confirmed = 0
        self._left_behind = 0

    def append(self, line: bytes) -> None:
        """Make a line durable.

        Raises:
            OSError: the disk is full.
            TerminalError: the backlog is closed.
        """
        with self._guard:
            if not self._files:
                raise TerminalError("the recorder is closed; a fact came too late")
            if self._files[-1].size >= self._file_bytes:
                # If no new file can be made, the present one still may take the line.
                with suppress(EnvironmentUnfitError):
                    self._files.append(SpoolFile.create(self._folder))
            self._files[-1].append(line)

    def positions(self) -> tuple[int, int]:
        """Up to where lines are confirmed, and up to where they are recorded."""
        with self._guard:
            waiting = sum(file.size for file in self._files) - self._offset
            return self._confirmed, self._confirmed + waiting + self._left_behind

    def next_lines(self, most: int) -> Lines:
        """The oldest waiting lines; none if nothing waits."""
        with self._guard:
            file, start = self._files[0], self._offset
            # Taken under the guard: outside it, half of a line might be there.
            end = file.size
        return file.read(start, end, most)

    def confirm(self, batch: Lines) -> None:
        """Drop what `next_lines` gave."""
        with self._guard:
            self._confirmed += batch.end - self._offset
            self._offset = batch.end
            if self._offset < self._files[0].size:
                return
            self._offset = 0
            if len(self._files) > 1:
                self._files.popleft().remove()
            else:
                self._files[0].clear()

    def close(self) -> None:
        """Remove the files without waiting lines and leave the others to the next process."""
        with self._guard:
            while self._files:
                file = self._files.popleft()
                waiting, self._offset = file.size - self._offset, 0
                if waiting > 0:
                    self._left_behind += waiting
                    file.close()
                else:
                    file.remove()
