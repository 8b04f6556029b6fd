"""The parts of search that need no database: words, spelling, concepts, vectors, short lists."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace

import pytest
from factories import make_tool
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.catalog.comparison import side_by_side
from tool_catalog_pipelines.catalog.search.concepts import concepts_in, thesaurus
from tool_catalog_pipelines.catalog.search.embedding import ConceptEmbedder, find_embedder
from tool_catalog_pipelines.catalog.search.question import Question
from tool_catalog_pipelines.catalog.search.search import fused
from tool_catalog_pipelines.catalog.search.shortlist import row_of, shortlist, tokens_of
from tool_catalog_pipelines.catalog.search.spelling import corrections, deletions
from tool_catalog_pipelines.catalog.search.vectors import as_bytes, as_text, cosines
from tool_catalog_pipelines.catalog.search.words import (
    MAX_QUESTION_WORDS,
    question_words,
    stem,
    words_of,
)
from tool_catalog_pipelines.errors import InvalidInputError

WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=12)


def test_names_and_sentences_become_words() -> None:
    assert words_of("list_filesystems Get-CimInstance sha256sum; don't") == [
        "list", "filesystems", "get", "cim", "instance", "sha256sum", "dont",
    ]  # fmt: skip


def test_a_question_keeps_its_telling_words() -> None:
    assert question_words("Which of the tools shows me the disks?") == ["shows", "disks"]
    assert question_words("who is it") == ["who", "is", "it"]
    assert question_words("  \t ") == []
    assert len(question_words(" ".join(f"word{n}" for n in range(5000)))) == MAX_QUESTION_WORDS


@pytest.mark.parametrize(
    "group",
    [
        ("list", "lists", "listed", "listing"),
        ("stop", "stops", "stopped", "stopping"),
        ("process", "processes"),
        ("directory", "directories"),
        ("service", "services"),
        ("change", "changed", "changes", "changing"),
        ("install", "installed", "installing"),
        ("compress", "compressed", "compressing"),
        ("copy", "copies"),
        ("box", "boxes"),
    ],
)
def test_forms_of_a_word_have_one_stem(group: tuple[str, ...]) -> None:
    assert len({stem(word) for word in group}) == 1, {word: stem(word) for word in group}


@pytest.mark.parametrize(
    ("one", "other"),
    [("use", "user"), ("file", "filter"), ("port", "portal"), ("status", "state"), ("ss", "s"),
     ("access", "acces s"), ("mount", "amount"), ("path", "patch"), ("string", "str")],
)  # fmt: skip
def test_other_words_have_other_stems(one: str, other: str) -> None:
    assert stem(one) != stem(other)


@given(WORDS, st.integers(0, 11), st.sampled_from("abcdefghijklmnopqrstuvwxyz"), st.integers(0, 3))
def test_one_mistake_is_found_again(word: str, at: int, letter: str, kind: int) -> None:
    at %= len(word)
    wrong = (
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :],
    )[kind]
    neighbours = [(deletion, word) for deletion in deletions(word)]
    found = corrections([wrong], neighbours)
    if wrong == word or len(wrong) < 4:
        assert found == {}
    else:
        assert found == {wrong: (word,)}


@given(WORDS, WORDS)
def test_only_one_mistake_is_corrected(word: str, other: str) -> None:
    found = corrections([other], [(deletion, word) for deletion in deletions(word)])
    if abs(len(word) - len(other)) > 1:
        assert found == {}


def test_a_known_word_or_a_number_is_not_corrected() -> None:
    neighbours = [(text, word) for word in ("port", "sort") for text in deletions(word)]
    assert corrections(["port", "8080", "sha256"], neighbours) == {}


def test_the_thesaurus_reads_well() -> None:
    terms = thesaurus()
    assert len({concept for concepts in terms.values() for concept in concepts}) >= 400
    assert all(1 <= len(term) <= 6 for term in terms)
    assert all(re.fullmatch("[a-z0-9_]+", c) for concepts in terms.values() for c in concepts)


def test_the_longest_phrase_counts() -> None:
    stems = [stem(word) for word in words_of("no space left on the device")]
    assert "disk_free" in concepts_in(stems)
    assert "disk_free" not in concepts_in(["devic"])


def test_what_means_the_same_is_near() -> None:
    embedder = ConceptEmbedder()
    texts = ["free disk space", "no space left on the volume", "log in by ssh with a key", ""]
    vectors = embedder.embed([[(1.0, text)] for text in texts])
    assert [round(math.hypot(*vector.values()), 5) for vector in vectors] == [1, 1, 1, 0]
    near, far = cosines(vectors[0], [as_bytes(vector) for vector in vectors[1:3]])
    assert near > 0.2 > far
    assert vectors == embedder.embed([[(1.0, text)] for text in texts])


@given(*[st.dictionaries(st.integers(0, 40), st.floats(-1, 1, width=32), max_size=8)] * 2)
def test_cosines_are_inner_products(one: dict[int, float], other: dict[int, float]) -> None:
    (cosine,) = cosines(one, [as_bytes(dict(sorted(other.items())))])
    assert cosine == pytest.approx(sum(one[i] * other.get(i, 0.0) for i in one), abs=1e-5)


def test_vectors_as_pgvector_reads_them() -> None:
    sparse = ConceptEmbedder()
    assert as_text({0: 0.5, 7: 0.25}, sparse) == f"{{1:0.5,8:0.25}}/{sparse.dimensions}"
    dense = SimpleNamespace(name="d", dimensions=3, is_sparse=False, embed=list)
    assert as_text({0: 0.5, 2: 0.25}, dense) == "[0.5,0,0.25]"


def test_an_embedder_is_chosen_by_name() -> None:
    assert find_embedder("concepts").name.startswith("concepts")
    with pytest.raises(InvalidInputError, match="TOOL_CATALOG_EMBEDDER"):
        find_embedder("no-such")


def test_rankings_are_fused_by_reciprocal_rank() -> None:
    scores = fused({1: (1, 0.9), 2: (2, 0.5)}, {2: (1, 0.4), 3: (2, 0.3)})
    assert list(scores) == [2, 1, 3]
    assert scores[2] == pytest.approx(1 / 62 + 1 / 61)


@pytest.mark.parametrize(
    ("page", "per_page"), [(0, 10), (1, 0), (1, 101), (21, 10), (-1, 10), (3, 100)]
)
def test_pages_that_do_not_exist_are_refused(page: int, per_page: int) -> None:
    with pytest.raises(InvalidInputError):
        Question("disk", page=page, per_page=per_page)


@given(st.integers(1, 2000))
def test_a_short_list_keeps_its_budget(budget: int) -> None:
    tools = [
        make_tool(f"linux/tool_{n}", tool={"description": "x" * (n * 7 + 1)}) for n in range(30)
    ]
    listed = shortlist(tools, budget)
    assert listed.tokens == sum(tokens_of(row) for row in listed.rows) <= budget
    assert len(listed.rows) + listed.left_out == len(tools)
    assert [row["tool"] for row in listed.rows] == [
        f"linux/tool_{n}" for n in range(len(listed.rows))
    ]


def test_a_row_is_cut_to_its_width() -> None:
    row = row_of(make_tool(f"linux/{'n' * 60}", tool={"description": "d" * 300}))
    assert len(row["tool"]) == 48
    assert row["tool"].endswith("...")
    assert len(row["does"]) == 110


def test_tools_side_by_side() -> None:
    one, other = make_tool("linux/one"), make_tool("linux/other", tool={"owner": "ops"})
    lines = {line.name: line for line in side_by_side([one, other])}
    assert lines["owner"].values == ("", "ops")
    assert lines["owner"].differs
    assert not lines["category"].differs
