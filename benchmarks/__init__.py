"""Measurements, run by `make bench`; what they print goes into docs/reference/benchmarks.md."""
