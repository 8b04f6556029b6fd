"""Whether this machine can hold the embedded server, asked before anything is started.

Belongs here: checks of folders, users and disk, and the making of our own folders. The mode of a
folder that we did not make is never changed. Does not belong here: starting the server.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tool_catalog_pipelines.db.binaries import binaries_dir
from tool_catalog_pipelines.errors import EnvironmentUnfitError, Problem

SYSTEM_USER = "pgserver"
MINIMUM_FREE_BYTES = 500_000_000
_FOLDER_MODE = 0o755
_OTHER_SERVER = "or set TOOL_CATALOG_DATABASE_URL to a PostgreSQL server"


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The user of the operating system that PostgreSQL runs as; None fields mean ourselves."""

    uid: int | None = None
    gid: int | None = None


def check_home(home: Path) -> None:
    """Check that a server can live under this folder, and make the folder.

    Raises:
        EnvironmentUnfitError: with everything that stands in the way, and the ways out.
    """
    problems = [*_path_problems(home), *_space_problems(home)]
    if os.geteuid() == 0 and not problems:
        problems += _closed_folder_problems(home, "TOOL_CATALOG_HOME")
        problems += _closed_folder_problems(binaries_dir(), "the virtual environment")
    if problems:
        raise EnvironmentUnfitError(problems)
    try:
        make_folder(home)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        hint = f"give TOOL_CATALOG_HOME a folder that you may write to, {_OTHER_SERVER}"
        message = f"cannot write to {home}: {error.strerror or error}"
        raise EnvironmentUnfitError.one(message, hint) from error


def make_folder(folder: Path) -> None:
    """Make a folder and its missing parents, open to others to read whatever the umask is."""
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_folder(folder.parent)
    try:
        folder.mkdir(mode=_FOLDER_MODE)
    except FileExistsError:
        if not folder.is_dir():
            raise
    else:
        folder.chmod(_FOLDER_MODE)


def server_user(data_dir: Path) -> ServerUser:
    """Who PostgreSQL runs as: ourselves, or as root the owner of the data or a system user.

    Raises:
        EnvironmentUnfitError: the data belong to another user, or no system user can be made.
    """
    owner = data_dir.stat().st_uid if data_dir.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            message = f"{data_dir} belongs to another user (uid {owner})"
            hint = f"start as that user, choose another TOOL_CATALOG_HOME, {_OTHER_SERVER}"
            raise EnvironmentUnfitError.one(message, hint)
        return ServerUser()
    entry = pwd.getpwuid(owner) if owner else _system_user()
    return ServerUser(entry.pw_uid, entry.pw_gid)


def _system_user() -> pwd.struct_passwd:
    """The system user, made on first use: PostgreSQL refuses to run as root."""
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    try:
        argv = ["useradd", "--system", "--shell", "/bin/false", SYSTEM_USER]
        subprocess.run(argv, check=False, capture_output=True, timeout=30)
        return pwd.getpwnam(SYSTEM_USER)
    except (KeyError, OSError, subprocess.SubprocessError) as error:
        message = f"PostgreSQL cannot run as root and the system user {SYSTEM_USER} cannot be made"
        hint = f"make it, run as an ordinary user, {_OTHER_SERVER}"
        raise EnvironmentUnfitError.one(message, hint) from error


def _path_problems(home: Path) -> list[Problem]:
    nearest = _nearest_existing(home)
    if not nearest.is_dir():
        hint = "set TOOL_CATALOG_HOME to a folder"
        return [Problem(f"cannot write to {home}: {nearest} is not a folder", hint=hint)]
    if not any(character.isspace() for character in str(home)):
        return []
    hint = f"set TOOL_CATALOG_HOME to a folder without spaces, {_OTHER_SERVER}"
    return [
        Problem(f"the embedded PostgreSQL cannot live in {str(home)!r}: it has a space", hint=hint)
    ]


def _space_problems(home: Path) -> list[Problem]:
    free = shutil.disk_usage(_nearest_existing(home)).free
    if free >= MINIMUM_FREE_BYTES:
        return []
    message = (
        f"{free // 1_000_000} MB are free at {home}; {MINIMUM_FREE_BYTES // 1_000_000} are needed"
    )
    return [
        Problem(message, hint=f"free disk space, choose another TOOL_CATALOG_HOME, {_OTHER_SERVER}")
    ]


def _closed_folder_problems(path: Path, what: str) -> list[Problem]:
    """As root the server runs as another user, who must be able to reach the folder."""
    start = _nearest_existing(path)
    closed = [
        folder for folder in (start, *start.parents) if not folder.stat().st_mode & stat.S_IXOTH
    ]
    hint = (
        f"run as an ordinary user, move {what} elsewhere, open the folder yourself (chmod o+x), "
        + _OTHER_SERVER
    )
    return [
        Problem(
            f"as root, PostgreSQL runs as another user, and {folder} is closed to others", hint=hint
        )
        for folder in closed
    ]


def _nearest_existing(path: Path) -> Path:
    while not path.exists() and path.parent != path:
        path = path.parent
    return path
