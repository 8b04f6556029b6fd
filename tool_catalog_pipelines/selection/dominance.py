"""The order among equal scores: whatever is nowhere worse and somewhere better comes first.

A thousand tools that are faster than the fastest time that counts have equal scores, so that not
every pair can be compared. Does not belong here: scores (scoring.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from operator import ge

from tool_catalog_pipelines.selection.normalisation import FEATURES, SMALLER_IS_BETTER

Merits = tuple[tuple[str, ...], tuple[float, ...]]
"""Names of the known figures, and the figures themselves, where more is better."""


def merits_of_raw(raw: Mapping[str, float]) -> Merits:
    """Raw figures, of which some are better when they are smaller."""
    names = tuple(name for name in FEATURES if name in raw)
    return names, tuple(-raw[name] if name in SMALLER_IS_BETTER else raw[name] for name in names)


def merits_of_features(features: Mapping[str, float]) -> Merits:
    """Features, which are all better when they are greater."""
    names = tuple(name for name in FEATURES if name in features)
    return names, tuple(features[name] for name in names)


def dominates(better: Merits, worse: Merits) -> bool:
    """Whether one is nowhere worse and somewhere better, in figures that both have."""
    if better[0] != worse[0] or better[1] == worse[1]:
        return False
    return all(map(ge, better[1], worse[1]))


def undominated_first(merits: Iterable[Merits]) -> list[int]:
    """The numbers of all entries: again and again the first that no other one left dominates."""
    numbers: dict[Merits, list[int]] = {}
    for number, one in enumerate(merits):
        numbers.setdefault(one, []).append(number)
    if len(numbers) == 1:
        return next(iter(numbers.values()))
    best_first = sorted(numbers, reverse=True)
    return _Tie(best_first, [numbers[one] for one in best_first]).order()


class _Tie:
    """Different merits, sorted so that each comes after all that dominate it."""

    def __init__(self, merits: Sequence[Merits], numbers: Sequence[list[int]]) -> None:
        """Prepare; `numbers` are those of the entries that have these merits, in their order."""
        self._merits = merits
        self._numbers = [list(reversed(ones)) for ones in numbers]
        self._first_left = 0
        self._waiting: dict[int, list[int]] = {}
        self._ready: list[tuple[int, int]] = []

    def order(self) -> list[int]:
        """The numbers of all entries."""
        for place in range(len(self._merits)):
            self._wait(place, place)
        order: list[int] = []
        while self._ready:
            number, place = heappop(self._ready)
            order.append(number)
            self._numbers[place].pop()
            if self._numbers[place]:
                heappush(self._ready, (self._numbers[place][-1], place))
            else:
                self._leave(place)
        return order

    def _wait(self, place: int, before: int) -> None:
        """Wait for the nearest one left that dominates; be ready if there is none.

        The nearest, as those that dominate it have then left too: each is compared with another
        once at most.
        """
        for other in range(before - 1, self._first_left - 1, -1):
            if self._numbers[other] and dominates(self._merits[other], self._merits[place]):
                self._waiting.setdefault(other, []).append(place)
                return
        heappush(self._ready, (self._numbers[place][-1], place))

    def _leave(self, place: int) -> None:
        while self._first_left < len(self._numbers) and not self._numbers[self._first_left]:
            self._first_left += 1
        for other in self._waiting.pop(place, ()):
            self._wait(other, place)
