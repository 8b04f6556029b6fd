-- Derived from the tools, so nothing here is worth a backup.
CREATE TABLE tool_catalog.search_documents (
    tool_id bigint NOT NULL,
    tenant text NOT NULL,
    platform text NOT NULL,
    tool_key text NOT NULL,
    state text NOT NULL,
    category text NOT NULL,
    owner text,
    tags text [] NOT NULL,
    capabilities text [] NOT NULL,
    shown_in text [] NOT NULL,
    named_environments text [] NOT NULL,
    words tsvector NOT NULL,
    CONSTRAINT pk_search_documents PRIMARY KEY (tool_id),
    CONSTRAINT fk_search_documents_tool_id
    FOREIGN KEY (tool_id) REFERENCES tool_catalog.tools (id) ON DELETE CASCADE
);
-- Ranking reads these of every document that matches; unpacking them would take half of the time.
ALTER TABLE tool_catalog.search_documents ALTER COLUMN words SET STORAGE EXTERNAL;
CREATE INDEX ix_search_documents_tenant
ON tool_catalog.search_documents (tenant, platform, tool_key);
CREATE INDEX ix_search_documents_words ON tool_catalog.search_documents USING gin (words);

CREATE TABLE tool_catalog.search_words (
    deletion text NOT NULL,
    word text NOT NULL,
    CONSTRAINT pk_search_words PRIMARY KEY (deletion, word)
);

CREATE TABLE tool_catalog.search_state (
    catalog_id uuid NOT NULL,
    revision bigint NOT NULL,
    embedder text NOT NULL,
    CONSTRAINT pk_search_state PRIMARY KEY (catalog_id)
);
