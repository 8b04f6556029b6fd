"""Descriptions of tools that others wrote -> drafts in the grammar of our own tool files.

One module per family of formats; which there are is in registry.py, what they share in draft.py.
Everything here is pure: a document in, drafts and notes out. Does not belong here: our own format
(spec/load.py), what happens to a draft in the database (catalog/importer.py).
"""
