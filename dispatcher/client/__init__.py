"""What producers use: enqueue, wait, watch."""
