"""The statements of a search. Words reach PostgreSQL as parameters that hold letters and digits.

Does not belong here: what is done with the ranks (search.py).
"""

from __future__ import annotations

from sqlalchemy import TextClause, text

_SEEN = """
    d.tenant IN (:tenant, 'shared')
    AND (CAST(:only_tenant AS text) IS NULL OR d.tenant = :only_tenant)
    AND (d.tenant = :tenant OR NOT EXISTS (
        SELECT 1 FROM tool_catalog.search_documents AS own
        WHERE own.tenant = :tenant AND own.platform = d.platform AND own.tool_key = d.tool_key
    ))
    AND (:environment = ANY(d.shown_in)
        OR ('*' = ANY(d.shown_in) AND NOT :environment = ANY(d.named_environments)))
    AND (CASE WHEN CAST(:state AS text) IS NULL THEN d.state NOT IN ('disabled', 'draft')
        ELSE d.state = :state END)
    AND (CAST(:platform AS text) IS NULL OR d.platform IN (:platform, 'multi-platform'))
    AND (CAST(:category AS text) IS NULL OR d.category = :category)
    AND (CAST(:tag AS text) IS NULL OR :tag = ANY(d.tags))
    AND (CAST(:capability AS text) IS NULL OR :capability = ANY(d.capabilities))
    AND (CAST(:owner AS text) IS NULL OR d.owner = :owner)
"""


def _statement(template: str, vector_type: str = "") -> TextClause:
    return text(template.replace("{seen}", _SEEN).replace("{type}", vector_type))


BY_WORDS = _statement("""
SELECT d.tool_id, ts_rank('{0.05, 0.5, 0.7, 1.0}', d.words, q.asked, 1) AS score
FROM tool_catalog.search_documents AS d,
    to_tsquery(CAST(:config AS regconfig), :asked) AS q (asked)
WHERE d.words @@ q.asked AND {seen}
ORDER BY score DESC, d.tool_id
LIMIT :deepest
""")
_NEAREST = """
WITH near AS MATERIALIZED (
    SELECT tool_id, embedding <=> CAST(:vector AS {type}) AS distance
    FROM tool_catalog.search_vectors ORDER BY distance LIMIT :reach
)
SELECT d.tool_id, 1 - near.distance AS score
FROM near INNER JOIN tool_catalog.search_documents AS d ON d.tool_id = near.tool_id
WHERE {seen}
ORDER BY near.distance, d.tool_id
LIMIT :deepest
"""
"""The nearest of all vectors, then what filters leave of them: fast, but may leave too few."""
_NEAREST_OF_SEEN = """
WITH seen AS MATERIALIZED (
    SELECT d.tool_id FROM tool_catalog.search_documents AS d WHERE {seen}
), near AS MATERIALIZED (
    SELECT v.tool_id, v.embedding <=> CAST(:vector AS {type}) AS distance
    FROM seen INNER JOIN tool_catalog.search_vectors AS v ON v.tool_id = seen.tool_id
)
SELECT tool_id, 1 - distance AS score FROM near ORDER BY distance, tool_id LIMIT :deepest
"""
"""What filters leave, then the nearest of it."""
NEAREST = {kind: _statement(_NEAREST, kind) for kind in ("vector", "sparsevec")}
NEAREST_OF_SEEN = {kind: _statement(_NEAREST_OF_SEEN, kind) for kind in ("vector", "sparsevec")}
EVERY_VECTOR = _statement("""
SELECT d.tool_id, v.embedding
FROM tool_catalog.search_documents AS d
INNER JOIN tool_catalog.search_vectors AS v ON v.tool_id = d.tool_id
WHERE {seen}
""")
WITHOUT_WORDS = _statement("""
SELECT d.tool_id FROM tool_catalog.search_documents AS d WHERE {seen}
ORDER BY d.platform, d.tool_key LIMIT :deepest
""")
COUNT = _statement("SELECT count(*) FROM tool_catalog.search_documents AS d WHERE {seen}")
NEIGHBOURS = text("""
SELECT deletion, word FROM tool_catalog.search_words WHERE deletion = ANY(:deletions)
""")
