"""What monitoring programs send, and what is read of it: one module for each program."""
