"""The documentation as one site, from docs/ and from the code; `make docs` builds it.

What the code says itself (commands, HTTP routes, Python names) is written into pages at each build,
so that it cannot differ from the code. All else is a page in docs/.
"""
