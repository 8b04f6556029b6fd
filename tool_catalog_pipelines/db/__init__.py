"""PostgreSQL: where it is, how it is started and stopped, engines, tables and migrations.

Knows nothing of what a tool means; queries of the catalogue and of facts live with their owners.
"""
