"""What each process tells of itself on its own machine: for health checks and systemd."""
