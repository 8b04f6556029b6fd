"""Texts -> words and stems, the same way for tools and for questions. Pure.

Does not belong here: what words mean (concepts.py), PostgreSQL's own stems (statements.py).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

MAX_QUESTION_CHARACTERS = 2_000
MAX_QUESTION_WORDS = 40
MAX_WORD_CHARACTERS = 40
_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LETTERED = re.compile(r"[a-z]{3,}")
STOP_WORDS = frozenset(
    Path(__file__).with_name("stop_words.txt").read_text(encoding="utf-8").split()
)
"""Words that say nothing about what is looked for."""


def words_of(text: str) -> list[str]:
    """Words in their order: lower case, humps and underscores taken apart."""
    plain = unicodedata.normalize("NFKC", text)
    found = _WORD.findall(_HUMP.sub(" ", plain.replace("'", "")).lower())
    return [word[:MAX_WORD_CHARACTERS] for word in found]


def question_words(text: str) -> list[str]:
    """The distinct telling words of a question; all of its words if none is telling."""
    words = words_of(text[:MAX_QUESTION_CHARACTERS])
    telling = [word for word in words if word not in STOP_WORDS]
    return list(dict.fromkeys(telling or words))[:MAX_QUESTION_WORDS]


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A word without the ending that grammar gives it: `listing`, `listed`, `lists` -> `list`.

    Light on purpose: two words that mean different things must not fall together.
    """
    if len(word) < 4 or not word.isalpha() or not word.isascii():
        return word
    for ending, instead in (("sses", "ss"), ("ies", "y"), ("ss", "ss"), ("us", "us"), ("is", "is")):
        if word.endswith(ending):
            return word[: -len(ending)] + instead
    if word.endswith("s"):
        return stem(_without_e(word, "es") if word.endswith(("xes", "ches", "shes")) else word[:-1])
    for ending in ("ing", "ed", "er"):
        rest = word.removesuffix(ending)
        if rest != word and _LETTERED.search(rest) and re.search("[aeiouy]", rest):
            return _undoubled(rest) if ending != "er" else word
    return word.removesuffix("e") if len(word) > 4 else word


def _without_e(word: str, ending: str) -> str:
    return word.removesuffix(ending)


def _undoubled(rest: str) -> str:
    """`stopp` -> `stop`, but `install` stays; a silent e is gone as in the base form."""
    if len(rest) > 3 and rest[-1] == rest[-2] and rest[-1] not in "lsz":
        return rest[:-1]
    return rest.removesuffix("e") if len(rest) > 4 else rest
