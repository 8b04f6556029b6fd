"""Make `.venv` and install the locked dependencies; run by the Makefile before anything else.

Uses the standard library only and syntax that an old Python understands, so that an unfit
machine gets one line with the remedy instead of a traceback. Does not belong here: anything that
needs the package itself.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
NEEDED_MB = 3000


def main(arguments):
    """Install what `requirements.lock` (or, with `--dev`, `requirements-dev.lock`) names."""
    lock = "requirements-dev.lock" if "--dev" in arguments else "requirements.lock"
    wanted = fingerprint([lock, "pyproject.toml"])
    stamps = [os.path.join(VENV, "installed-" + name) for name in ("dev", "run")]
    if any(
        read(stamp) == fingerprint([name, "pyproject.toml"]) for stamp, name in good(stamps, lock)
    ):
        return 0
    trouble = unfit()
    if trouble:
        sys.stderr.write("tool-catalog: " + trouble + "\n")
        return 2
    create = [sys.executable, "-m", "venv", "--clear", VENV]
    if not works(PYTHON) and not phase("create .venv", create):
        return 1
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    steps = [
        ("install locked dependencies", [*pip, "--require-hashes", "-r", os.path.join(ROOT, lock)]),
        (
            "install this package",
            [*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT],
        ),
    ]
    for name, command in steps:
        if not phase(name, command):
            return 1
    with open(stamps[0] if "--dev" in arguments else stamps[1], "w") as stamp:
        stamp.write(wanted)
    return 0


def good(stamps, lock):
    """The stamps that satisfy the request: a development install serves a plain one too."""
    pairs = [(stamps[0], "requirements-dev.lock"), (stamps[1], "requirements.lock")]
    return pairs if lock == "requirements.lock" else pairs[:1]


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
    if " " in ROOT:
        return "the path of the checkout has a space, which PostgreSQL cannot use; move it"
    free_mb = shutil.disk_usage(ROOT).free // 1_000_000
    if free_mb < NEEDED_MB and not os.path.exists(PYTHON):
        return "only %d MB free here, %d MB are needed; make room" % (free_mb, NEEDED_MB)
    return ""


def works(python):
    """True if that interpreter is there and starts."""
    if not os.path.exists(python):
        return False
    return subprocess.call([python, "-c", ""], stderr=subprocess.DEVNULL) == 0


def phase(name, command):
    """Run one command, saying its name, the elapsed time past five seconds, and its end."""
    started = time.time()
    sys.stdout.write("- %s ... " % name)
    sys.stdout.flush()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = wait(process, started)
    seconds = time.time() - started
    if process.returncode == 0:
        sys.stdout.write("%.1f s\n" % seconds)
        return True
    sys.stdout.write("failed after %.1f s\n" % seconds)
    sys.stderr.write(output.decode("utf-8", "replace")[-4000:] + "\n")
    sys.stderr.write("tool-catalog: could not %s; the lines above say why\n" % name)
    return False


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


def fingerprint(names):
    """Hash of the files that decide what is installed."""
    digest = hashlib.sha256(sys.version.encode())
    for name in names:
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
