"""Tables of the search index. Everything in them is derived from the tools and can be made anew.

The vectors are in `search_vectors`, whose type depends on the embedder and on whether there is
pgvector; it is made with the index (catalog/search/vectors.py).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.schema import Index

from tool_catalog_pipelines.db.columns import metadata, row_reference, text_column

search_documents = Table(
    "search_documents",
    metadata,
    row_reference("tool_id", "tools", "CASCADE", primary_key=True),
    text_column("tenant"),
    text_column("platform"),
    text_column("tool_key"),
    text_column("state"),
    text_column("category"),
    Column("owner", Text),
    Column("tags", ARRAY(Text), nullable=False),
    Column("capabilities", ARRAY(Text), nullable=False),
    Column("shown_in", ARRAY(Text), nullable=False),
    Column("named_environments", ARRAY(Text), nullable=False),
    Column("words", TSVECTOR, nullable=False),
    Index("ix_search_documents_tenant", "tenant", "platform", "tool_key"),
    Index("ix_search_documents_words", "words", postgresql_using="gin"),
)
"""One row per version that somebody sees as the latest of its tool. `shown_in` lists the
environments in which it is; `*` stands for those that no version of the tool names."""

search_words = Table(
    "search_words",
    metadata,
    Column("deletion", Text, primary_key=True),
    Column("word", Text, primary_key=True),
)
"""Words of the documents, under themselves and under each text that they become when one letter
is left out: two words one typing mistake apart share such a text."""

search_state = Table(
    "search_state",
    metadata,
    Column("catalog_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    text_column("embedder"),
)
"""At most one row: which catalogue the index shows, as of which revision, with which embedder."""
