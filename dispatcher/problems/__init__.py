"""What is the matter, in one list for all who tell of it: `doctor`, `stats`, the console, metrics
and alerts. A problem has the same name and words everywhere.
"""
