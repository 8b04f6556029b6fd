"""Facts on their way: durable spool on disk, batched delivery, one table in PostgreSQL.

At-least-once on the way, exactly-once in the table. Does not belong here: what facts mean.
"""
