"""Generated folders of text files, for trials of tools that search or measure folders."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from tool_catalog_pipelines.execution.python_functions import FunctionContext

LINES_PER_FILE = 40
WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "needle", "zeta", "eta", "theta", "iota")


def make_folders(
    context: FunctionContext, name: str, sizes: Sequence[int], visits: int = 1, seed: int = 7
) -> dict[str, Any]:
    """Write one folder per size with that many files, and a shuffled list of visits to them.

    The same arguments give the same files and the same order.
    """
    # Not for secrets: a repeatable order is the point.
    chance = random.Random(seed)  # noqa: S311 - deterministic test material
    root = context.work_dir / context.run_id / name
    folders: list[dict[str, Any]] = []
    for size in sizes:
        folder = root / f"files_{size}"
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(size):
            (folder / f"{number:05}.txt").write_text(_text(chance), encoding="utf-8")
        folders.append({"path": str(folder), "files": size})
    order = [folder for folder in folders for _ in range(visits)]
    chance.shuffle(order)
    return {"folders": folders, "visits": order}


def _text(chance: random.Random) -> str:
    lines = (" ".join(chance.choices(WORDS, k=8)) for _ in range(LINES_PER_FILE))
    return "\n".join(lines) + "\n"
