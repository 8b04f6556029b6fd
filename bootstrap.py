"""Make `.venv` and install the locked dependencies; run by the Makefile before anything else.

Uses the standard library only and syntax that an old Python understands, so that an unfit
machine gets one line with the remedy instead of a traceback. An installation that was interrupted
starts over. Does not belong here: anything that needs the package itself.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
UNFINISHED = os.path.join(VENV, "unfinished")
LOG = os.path.join(VENV, "install.log")
NEEDED_MB = 3000
REMEDIES = [
    ("No space left", "make room on the disk"),
    ("DO NOT MATCH THE HASHES", "the index gave another file than the locked one; use another"),
    (
        "onnection broken",
        "the package index cannot be reached; check the network and pip's settings",
    ),
    ("imed out", "the package index does not answer; check the network and pip's settings"),
    ("name resolution", "the package index has no address; check the network and pip's settings"),
    ("No matching distribution", "the index lacks a package; check pip's settings and the network"),
]


def main(arguments):
    """Install what `requirements.lock` (or, with `--dev`, `requirements-dev.lock`) names."""
    is_dev = "--dev" in arguments
    if is_installed(is_dev):
        return 0
    trouble = unfit()
    if trouble:
        return complain(trouble, 2)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)
    try:
        with open(os.path.join(ROOT, "pyproject.toml")) as turn:
            wait_for_turn(turn)
            return 0 if is_installed(is_dev) or install(is_dev, turn) else 1
    except KeyboardInterrupt:
        return complain("interrupted; run the same command again, it starts over", 130)
    except EnvironmentError as error:  # OSError has this name in every Python
        return complain("could not install: %s" % error, 1)


def complain(text, code):
    """Say one line, and give the exit code back."""
    sys.stderr.write("tool-catalog: " + text + "\n")
    return code


def is_installed(is_dev):
    """Whether a finished installation serves; a development one serves a plain request too."""
    wanted = [True] if is_dev else [True, False]
    return not os.path.exists(UNFINISHED) and any(
        read(stamp_of(kind)) == fingerprint(kind) for kind in wanted
    )


def wait_for_turn(lock):
    """Two installations in one folder would ruin each other."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except EnvironmentError:
        sys.stdout.write("- wait for another installation in this folder\n")
        sys.stdout.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)


def install(is_dev, turn):
    """Make `.venv` unless a whole one is there, then install into it; whether all of it worked."""
    create = [sys.executable, "-m", "venv", "--clear", VENV]
    is_whole = not os.path.exists(UNFINISHED) and works(PYTHON)
    if not is_whole and not phase("create .venv", create, turn):
        return False
    with open(UNFINISHED, "w"):
        pass
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    locked = ["--require-hashes", "-r", os.path.join(ROOT, lock_of(is_dev))]
    package = ["--no-deps", "--no-build-isolation", "--editable", ROOT]
    steps = [("install locked dependencies", locked), ("install this package", package)]
    if not all(phase(name, pip + options, turn) for name, options in steps):
        return False
    with open(stamp_of(is_dev), "w") as stamp:
        stamp.write(fingerprint(is_dev))
    os.remove(UNFINISHED)
    return True


def unfit():
    """What is wrong with this machine or folder and what to do, in one line; empty if nothing."""
    version = sys.version_info[:2]
    if not (3, 11) <= version <= (3, 13):
        return (
            "Python %d.%d cannot run this; install Python 3.11, 3.12 or 3.13, "
            "or name one: make run PYTHON=/path/to/python3.12" % version
        )
    try:
        import ensurepip  # noqa: F401 - only asked whether it is there
        import venv  # noqa: F401
    except ImportError:
        return (
            "this Python has no venv module; install it "
            "(Debian and Ubuntu: apt-get install python%d.%d-venv)" % version
        )
    if not os.access(ROOT, os.W_OK):
        return "the folder %s cannot be written; move the checkout or change its owner" % ROOT
    if ROOT.split() != [ROOT]:
        return "the path of the checkout has a space, which PostgreSQL cannot use; move it"
    free_mb = shutil.disk_usage(ROOT).free // 1000000
    if free_mb < NEEDED_MB and not os.path.exists(PYTHON):
        return "only %d MB free here, %d MB are needed; make room" % (free_mb, NEEDED_MB)
    return ""


def works(python):
    """True if that interpreter is there, starts and has pip."""
    if not os.path.exists(python):
        return False
    return subprocess.call([python, "-c", "import pip"], stderr=subprocess.DEVNULL) == 0


def phase(name, command, turn):
    """Run one command, saying its name, the elapsed time past five seconds, and its end.

    The command inherits our turn: should we be killed, the next installation waits for its end.
    """
    started = time.time()
    sys.stdout.write("- %s ... " % name)
    sys.stdout.flush()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=[turn.fileno()],
    )
    try:
        output = wait(process, started).decode("utf-8", "replace")
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        sys.stdout.write("\n")
        sys.stdout.flush()
        raise
    seconds = time.time() - started
    if process.returncode == 0:
        sys.stdout.write("%.1f s\n" % seconds)
        return True
    sys.stdout.write("failed after %.1f s\n" % seconds)
    sys.stdout.flush()
    complain("could not %s: %s" % (name, remedy(output)), 1)
    return False


def remedy(output):
    """What to do about a failed command; all that it said goes to a file."""
    where = ""
    if os.path.isdir(VENV):
        with open(LOG, "w") as log:
            log.write(output)
        where = " (its words are in %s)" % LOG
    for sign, what_to_do in REMEDIES:
        if sign in output:
            return what_to_do + ", then run the same command again" + where
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["it said nothing"]
    errors = [line for line in lines if "rror" in line] or lines
    return errors[-1] + where


def wait(process, started):
    """Wait for the end, writing the elapsed seconds every ten seconds."""
    next_note = 5
    while True:
        try:
            return process.communicate(timeout=1)[0]
        except subprocess.TimeoutExpired:
            if time.time() - started > next_note:
                sys.stdout.write("%d s ... " % next_note)
                sys.stdout.flush()
                next_note += 10


def lock_of(is_dev):
    """The lock file of a kind of installation."""
    return "requirements-dev.lock" if is_dev else "requirements.lock"


def stamp_of(is_dev):
    """The file that says what was installed last."""
    return os.path.join(VENV, "installed-dev" if is_dev else "installed-run")


def fingerprint(is_dev):
    """Hash of the files that decide what is installed."""
    digest = hashlib.sha256(sys.version.encode())
    for name in (lock_of(is_dev), "pyproject.toml"):
        with open(os.path.join(ROOT, name), "rb") as source:
            digest.update(source.read())
    return digest.hexdigest()


def read(path):
    """Text of a file, empty if there is none."""
    if not os.path.exists(path):
        return ""
    with open(path) as source:
        return source.read()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
