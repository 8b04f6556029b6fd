"""Python functions that tools of the shipped catalogue are bound to.

Each takes a FunctionContext and its inputs and returns the output object; they are registered as
entry points in pyproject.toml.
"""
