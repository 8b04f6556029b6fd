"""The sign by which a running step learns that its run is being stopped.

Belongs here: the context variable and its reading. Setting it is the business of whoever runs the
step (the executor, the command line).
"""

from __future__ import annotations

import threading
from contextvars import ContextVar

CANCELLATION: ContextVar[threading.Event | None] = ContextVar("cancellation", default=None)


def is_cancelled() -> bool:
    """Whether the run of the current step is being stopped; False outside a run."""
    event = CANCELLATION.get()
    return event is not None and event.is_set()
