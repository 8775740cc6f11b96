"""What tests of several files share: each module says what it holds. No test imports another."""
