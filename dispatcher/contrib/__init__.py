"""Plug-ins for programs of others; each needs the program that it is for."""
