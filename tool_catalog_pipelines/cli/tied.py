"""A server that does not outlive its starter: `python -m tool_catalog_pipelines.cli.tied ARGV`.

Runs the command in its own process group and ends the group when standard input closes, which the
system does when the starter dies, however it dies. Imports next to nothing, because it is one more
process for each server. Does not belong here: which servers there are (servers.py).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

GRACE_S = 10.0


def main(argv: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    server = subprocess.Popen(argv, stdin=subprocess.DEVNULL)

    def pass_on(_number: int, _frame: object) -> None:
        server.terminate()

    signal.signal(signal.SIGTERM, pass_on)
    threading.Thread(target=_end_with_starter, args=(server,), daemon=True).start()
    return server.wait()


def _end_with_starter(server: subprocess.Popen[bytes]) -> None:
    while os.read(0, 4096):
        pass
    server.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(GRACE_S)
    # Whatever the server started and did not end itself is in our group, and so are we.
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
