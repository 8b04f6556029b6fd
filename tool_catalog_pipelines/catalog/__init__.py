"""The versioned catalogue: store in PostgreSQL, snapshot on disk, import of YAML, lookup.

The database is the truth; YAML is how tools come in; the snapshot is what is read without it.
"""
