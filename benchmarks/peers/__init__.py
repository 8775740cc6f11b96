"""What one would write first, on each of the task queues that one might take."""
