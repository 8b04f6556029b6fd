"""Tool Catalog Pipelines: a catalogue of tools that keeps its own estimates true.

Nothing is re-exported here; import from the module that owns a thing (docs/architecture.md).
"""
