"""Semantic versions: reading, ordering, the next patch. Pure."""

from __future__ import annotations

import re
from collections.abc import Set

_PARTS = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.([0-9]{1,9}))?(?:-([0-9A-Za-z.-]+))?")


def normalised(version: str) -> str:
    """The version with three numbers: `1.0` reads as `1.0.0`."""
    major, minor, patch, pre = _split(version)
    return f"{major}.{minor}.{patch}" + (f"-{pre}" if pre else "")


def spelled(text: str) -> str:
    """As `normalised`; a text that is no version, such as the name of a channel, as it is."""
    try:
        return normalised(text)
    except ValueError:
        return text


def order_key(version: str) -> tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]:
    """Sorts versions as semver.org orders them: a pre-release comes before its release."""
    major, minor, patch, pre = _split(version)
    parts = tuple(
        (not part.isdigit(), int(part) if part.isdigit() else 0, part)
        for part in pre.split(".")
        if part
    )
    return (major, minor, patch, not pre, parts)


def next_patch(version: str, taken: Set[str]) -> str:
    """The first free patch after a version."""
    major, minor, patch, _ = _split(version)
    while (candidate := f"{major}.{minor}.{patch + 1}") in taken:
        patch += 1
    return candidate


def next_version(version: str, taken: Set[str], is_breaking: bool) -> str:
    """The first free version after one: the next major number for a breaking change."""
    if not is_breaking:
        return next_patch(version, taken)
    major = _split(version)[0] + 1
    while (candidate := f"{major}.0.0") in taken:
        major += 1
    return candidate


def _split(version: str) -> tuple[int, int, int, str]:
    match = _PARTS.fullmatch(version)
    if match is None:
        raise ValueError(f"{version!r} is not a version")
    major, minor, patch, pre = match.groups()
    return int(major), int(minor or 0), int(patch or 0), pre or ""
