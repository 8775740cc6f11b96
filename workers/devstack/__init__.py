"""The whole stack on one machine, for `up`, `demo` and the tests."""
