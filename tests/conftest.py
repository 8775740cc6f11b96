"""What all tests stand on."""

from __future__ import annotations

import signal

# Shells start background jobs with these ignored, and every process that a test starts would
# inherit that: Ctrl-C could not be tested where the suite itself runs in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
