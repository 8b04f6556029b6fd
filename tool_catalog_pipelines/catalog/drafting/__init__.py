"""Making a new tool: questions, answers, and the tool that comes of them; no terminal here.

Does not belong here: asking (cli/), and formats of others (catalog/formats/).
"""
