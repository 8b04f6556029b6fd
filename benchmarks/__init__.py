"""Measurements against peers and floors on this machine; `make bench` runs them all.

Belongs here: what is measured and how it is shown. No test depends on a figure. A missed goal is
shown and kept in the results, with the profile and the reason in docs/.
"""
