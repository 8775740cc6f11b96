"""Telling the producers: what is signed, where it may go, and what follows from the answer."""
