"""Words that nobody wrote -> words that somebody did, one typing mistake away.

Two words are one mistake apart (a letter too much, too few, another, or two swapped) only if they
have a text in common when at most one letter of each is left out (Garbe's symmetric deletions), so
candidates are found by equality, which any database indexes. Does not belong here: the statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

SHORTEST_CORRECTED = 4


def deletions(word: str) -> set[str]:
    """The word and every text that it becomes when one letter is left out."""
    if len(word) < SHORTEST_CORRECTED:
        return {word}
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def corrections(
    words: Iterable[str], neighbours: Sequence[tuple[str, str]]
) -> Mapping[str, tuple[str, ...]]:
    """For each unknown word the known ones that are one mistake away, at most three.

    `neighbours` are the rows (deletion, word) that share a deletion with any of the words.
    """
    by_deletion: dict[str, set[str]] = {}
    for deletion, known in neighbours:
        by_deletion.setdefault(deletion, set()).add(known)
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        near = set[str]().union(*(by_deletion.get(text, set[str]()) for text in deletions(word)))
        if word in near or len(word) < SHORTEST_CORRECTED or not word.isalpha():
            continue
        one_apart = sorted(known for known in near if _is_one_mistake(word, known))
        if one_apart:
            found[word] = tuple(one_apart[:3])
    return found


def _is_one_mistake(one: str, other: str) -> bool:
    """Whether a single insertion, deletion, substitution or swap leads from one to the other."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    rest, rest_of_other = one[start:], other[start:]
    if len(one) != len(other):
        longer, shorter = sorted((rest, rest_of_other), key=len, reverse=True)
        return longer[1:] == shorter
    is_swap = rest[:2] == rest_of_other[1::-1] and rest[2:] == rest_of_other[2:]
    return rest[1:] == rest_of_other[1:] or is_swap
