"""Finding tools: by words, by meaning, both merged; related tools; short lists for programs.

The index is a part of the database that is derived from the tools: whoever searches first lets it
catch up with the catalogue (index.py), so that changes of tools pay nothing for it.
"""
