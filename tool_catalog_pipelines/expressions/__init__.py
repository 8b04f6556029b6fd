"""Estimate expressions and the condition language: parse, check, evaluate, explain.

Both are data, never code: own parsers, no eval, limits on length, depth and size.
"""
