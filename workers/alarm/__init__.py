"""Tells somebody when nobody can be called: by mail, and by a ping that stops."""
