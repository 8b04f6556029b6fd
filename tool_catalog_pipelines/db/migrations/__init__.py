"""Migrations of schema `tool_catalog`; each is frozen once it is released."""
