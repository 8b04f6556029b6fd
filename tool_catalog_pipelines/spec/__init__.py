"""What people write: frozen pydantic models of tools, chains and experiments, and their reader.

Pure: given text and a file name, out come models or problems with positions. Nothing here knows
PostgreSQL, Dagster or how a tool is executed.
"""
