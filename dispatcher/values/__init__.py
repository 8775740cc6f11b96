"""The values that requests and settings are made of: each read from text, checked, and frozen."""
