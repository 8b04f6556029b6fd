"""Run every benchmark: `python -m benchmarks [--repetitions N]`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping

from benchmarks import (
    catalogue,
    chain_overhead,
    expressions,
    forecasts,
    search,
    selection,
    selection_by_words,
)
from benchmarks.results import LATEST, Result, show, write

BENCHMARKS: Mapping[str, Callable[[int], list[Result]]] = {
    "chain overhead": lambda repetitions: chain_overhead.measure(repetitions=repetitions),
    "catalogue": lambda _: catalogue.measure(),
    "search": lambda _: search.measure(),
    "expressions": lambda _: expressions.measure(),
    "selection": lambda _: selection.measure(),
    "forecasts": lambda _: forecasts.measure(),
    "selection by words": lambda _: selection_by_words.measure(),
}


def main() -> None:
    """Measure, print the table, write the file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=chain_overhead.REPETITIONS)
    repetitions: int = parser.parse_args().repetitions
    results: list[Result] = []
    for name, measure in BENCHMARKS.items():
        started = time.perf_counter()
        print(f"{name} ...", end="", flush=True)
        results += measure(repetitions)
        print(f" {time.perf_counter() - started:.1f} s")
    show(results)
    write(results)
    print(f"written to {LATEST}")


if __name__ == "__main__":
    main()
