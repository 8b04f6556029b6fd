"""The embedded PostgreSQL as a process: initialise its folder, start it, find it, stop it.

Belongs here: everything that runs a program of PostgreSQL or reads `postmaster.pid`. Does not
belong here: who may stop it and when (supervisor.py).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tool_catalog_pipelines.db.binaries import binaries_dir
from tool_catalog_pipelines.db.preflight import ServerUser
from tool_catalog_pipelines.errors import DatabaseUnavailableError, EnvironmentUnfitError

SUPERUSER = "postgres"
MAX_CONNECTIONS = 100
_MAX_SOCKET_PATH = 100
"""Bytes; systems allow 103 (macOS) or 107 (Linux) for a socket's whole path."""
_SOCKET_NAME = ".s.PGSQL.5432"
_MAX_LOG_BYTES = 10_000_000
_POLL_S = 0.02
_LINE_SOCKET_DIR, _LINE_STATUS = 4, 7


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A running server of one data folder, as its `postmaster.pid` describes it."""

    pid: int
    socket_dir: Path | None
    is_ready: bool


def find_postmaster(data_dir: Path) -> Postmaster | None:
    """The living server of this data folder, or None; a stale `postmaster.pid` counts as none."""
    try:
        lines = [line.strip() for line in (data_dir / "postmaster.pid").read_text().splitlines()]
        pid = int(lines[0])
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
        return None
    if not _is_server_of(pid, data_dir):
        return None
    socket_dir = Path(lines[_LINE_SOCKET_DIR]) if len(lines) > _LINE_SOCKET_DIR else None
    is_ready = len(lines) > _LINE_STATUS and lines[_LINE_STATUS] == "ready"
    return Postmaster(pid, socket_dir, is_ready)


def initialise(data_dir: Path, user: ServerUser) -> None:
    """Make the data folder unless it exists; it appears whole or not at all.

    Raises:
        DatabaseUnavailableError: initdb failed; the message holds what it said.
    """
    _remove_unfinished(data_dir)
    if data_dir.exists():
        return
    unfinished = Path(tempfile.mkdtemp(dir=data_dir.parent, prefix=f".{data_dir.name}-"))
    if user.uid is not None and user.gid is not None:
        os.chown(unfinished, user.uid, user.gid)
    argv = [
        "--auth=trust", "--encoding=UTF8", "--no-locale", "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8", f"--username={SUPERUSER}", f"--pgdata={unfinished}",
    ]  # fmt: skip
    _run("initdb", argv, user)
    unfinished.rename(data_dir)


def start(data_dir: Path, user: ServerUser, log: Path) -> subprocess.Popen[bytes]:
    """Start the server in a session of its own and return without waiting.

    A `postmaster.pid` whose process is not the server of this folder is removed first: PostgreSQL
    itself would refuse to start if another program got that number after a crash.
    """
    if find_postmaster(data_dir) is None:
        (data_dir / "postmaster.pid").unlink(missing_ok=True)
    options = [
        "-D", str(data_dir), "-h", "", "-p", "5432", "-k", str(_socket_dir(data_dir, user)),
        "-c", f"max_connections={MAX_CONNECTIONS}", "-c", "logging_collector=off",
        "-c", "log_destination=stderr", "-c", "timezone=UTC",
    ]  # fmt: skip
    if log.exists() and log.stat().st_size > _MAX_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(binaries_dir() / "postgres"), *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=data_dir,
            start_new_session=True,
            user=user.uid,
            group=user.gid,
            extra_groups=None if user.uid is None else [],
        )


def stop(data_dir: Path, user: ServerUser, timeout_s: float = 30.0) -> bool:
    """Stop the server by a fast shutdown, after `timeout_s` by an immediate one.

    Returns:
        Whether it has ended; an immediate shutdown loses nothing, the next start recovers.
    """
    postmaster = find_postmaster(data_dir)
    if postmaster is None:
        return True
    for how, limit_s in (("fast", timeout_s), ("immediate", 5.0)):
        argv = [
            "stop",
            f"--pgdata={data_dir}",
            f"--mode={how}",
            "--wait",
            f"--timeout={limit_s:.0f}",
        ]
        try:
            _run("pg_ctl", argv, user, limit_s + 10)
        except DatabaseUnavailableError:
            continue
        return wait_for_end(postmaster.pid, data_dir, 5.0)
    return find_postmaster(data_dir) is None


def wait_for_end(pid: int, data_dir: Path, timeout_s: float) -> bool:
    """Wait until a server's first process is gone."""
    deadline = time.monotonic() + timeout_s
    while _is_server_of(pid, data_dir):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def end_orphan(pid: int, data_dir: Path) -> None:
    """End a server whose data folder was removed: there is nothing left to shut down in order."""
    if _is_server_of(pid, data_dir):
        os.kill(pid, signal.SIGQUIT)
        wait_for_end(pid, data_dir, 5.0)


def _is_server_of(pid: int, data_dir: Path) -> bool:
    """Whether the process is a living PostgreSQL that was started on this data folder."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and str(data_dir) in process.cmdline()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _socket_dir(data_dir: Path, user: ServerUser) -> Path:
    """The data folder itself, or a private folder with a short name when its path is too long.

    Raises:
        EnvironmentUnfitError: no folder for the socket can be made.
    """
    if _fits_socket(data_dir):
        return data_dir
    name = f"tool-catalog-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]}"
    for parent in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 - checked below
        folder = parent / name
        if _fits_socket(folder) and _make_private(folder, user):
            return folder
    message = f"the path {data_dir} is too long for a socket, and no temporary folder will do"
    raise EnvironmentUnfitError.one(message, "choose a shorter TOOL_CATALOG_HOME")


def _fits_socket(folder: Path) -> bool:
    # A comma separates folders in PostgreSQL's option, and a quote quotes them.
    is_plain = not any(character in str(folder) for character in ",'\"")
    return is_plain and len(os.fsencode(folder / _SOCKET_NAME)) <= _MAX_SOCKET_PATH


def _make_private(folder: Path, user: ServerUser) -> bool:
    """Make a folder that only the server's user may enter; False if somebody else has that name."""
    owner = os.geteuid() if user.uid is None else user.uid
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, owner, -1)
    except FileExistsError:
        pass
    except OSError:
        return False
    status = folder.lstat()
    return folder.is_dir() and not folder.is_symlink() and status.st_uid == owner


def _remove_unfinished(data_dir: Path) -> None:
    """Remove what an interrupted initialisation left."""
    for leftover in data_dir.parent.glob(f".{data_dir.name}-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _run(program: str, argv: list[str], user: ServerUser, timeout_s: float = 120.0) -> None:
    """Run a program of PostgreSQL as the server's user.

    Raises:
        DatabaseUnavailableError: it failed or took too long; the message holds what it said.
    """
    with tempfile.TemporaryFile() as output:  # a pipe would stay open in the server it starts
        try:
            result = subprocess.run(
                [str(binaries_dir() / program), *argv],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=timeout_s,
                cwd="/",
                user=user.uid,
                group=user.gid,
                extra_groups=None if user.uid is None else [],
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DatabaseUnavailableError(f"{program} failed: {error}") from error
        output.seek(0)
        said = output.read().decode(errors="replace").strip()
    if result.returncode != 0:
        raise DatabaseUnavailableError(f"{program} failed (exit {result.returncode}): {said}")
