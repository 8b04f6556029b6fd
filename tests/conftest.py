"""Shared by all tests. Its place puts tests/ on the import path, so that `factories` is found."""
