"""The commands of the command line, in the overview's order, and where each is found."""

from __future__ import annotations

from dispatcher.cli.lazy import Entry, LazyGroup
from dispatcher.cli.processes import Process

_OURS = "dispatcher.cli"
_PROCESSES = "workers.commands"

COMMANDS = {
    "call": Entry(f"{_OURS}.calls:call", "Call somebody: say a text, or play a recording."),
    "conference": Entry(
        f"{_OURS}.calls:conference", "Connect two or three people in a conference."
    ),
    "import": Entry(f"{_OURS}.import_:import_", "Enqueue a call for each row of a file."),
    "export": Entry(f"{_OURS}.export:export", "Write jobs, newest first."),
    "purge": Entry(
        f"{_OURS}.purge:purge", "Remove ended jobs for good: by age, or all of one recipient."
    ),
    "show": Entry(
        f"{_OURS}.jobs:show", "Show one job, whole: attempts, timeline, what happens next."
    ),
    "list": Entry(f"{_OURS}.jobs:list_", "List jobs, newest first, with numbers masked."),
    "why": Entry(f"{_OURS}.jobs:why", "Say why a job has not rung, and what happens next."),
    "stats": Entry(f"{_OURS}.jobs:stats", "Count jobs by state, and say what stops them."),
    "watch": Entry(f"{_OURS}.watch:watch", "Watch jobs as they change."),
    "retry": Entry(
        f"{_OURS}.job_actions:retry", "Dial again what reached nobody; all history is kept."
    ),
    "reached": Entry(f"{_OURS}.job_actions:reached", "Mark jobs of unknown outcome as reached."),
    "cancel": Entry(f"{_OURS}.job_actions:cancel", "End jobs that are not dialled yet."),
    "prioritise": Entry(
        f"{_OURS}.job_actions:prioritise", "Give jobs that are not dialled yet another priority."
    ),
    "acts": Entry(f"{_OURS}.actions:app", "Acts on many jobs: how they stand, and an end."),
    "pause": Entry(f"{_OURS}.pause:pause", "Stop dialling, until `resume`; calls under way go on."),
    "resume": Entry(f"{_OURS}.pause:resume", "End a pause."),
    "balance": Entry(f"{_OURS}.balance:balance", "Show the account's credit."),
    "limit": Entry(f"{_OURS}.limit:app", "Limit what a tag or a producer may spend."),
    "events": Entry(
        f"{_OURS}.events:events", "List what happened to the account, the oldest first."
    ),
    "audit": Entry(f"{_OURS}.actions:audit", "Say who did what, when and why."),
    "doctor": Entry(f"{_OURS}.doctor:doctor", "Check Redis, broker, workers and provider."),
    "migrate": Entry(
        f"{_OURS}.migrate:migrate", "Bring the records of an older version up to date."
    ),
    "url": Entry(f"{_OURS}.url:url", "Print where Redis, or a part of `up`, is reached."),
    "keys": Entry(f"{_OURS}.keys:app", "API keys: who is let in over HTTP, and to what."),
    "webhooks": Entry(
        f"{_OURS}.webhooks:app", "Webhooks: what waits, what was given up, and another try."
    ),
    "sandbox": Entry(f"{_OURS}.sandbox:sandbox", "Run the provider's sandbox."),
    "up": Process(f"{_PROCESSES}:up", "Run the whole stack in the foreground until Ctrl-C."),
    "demo": Process(
        f"{_PROCESSES}:demo", "Do the main job once, against the sandbox, and show it."
    ),
    "worker": Process(f"{_PROCESSES}:worker", "Run a Celery worker that dials."),
    "beat": Process(
        f"{_PROCESSES}:beat", "Run the clock that wakes pump, reconcile, rescue and credit."
    ),
    "gateway": Process(
        f"{_PROCESSES}:gateway", "Run the HTTP gateway: the API, the console, metrics, callbacks."
    ),
    "flower": Process(f"{_PROCESSES}:flower", "Run Flower."),
}


class Commands(LazyGroup):
    """The command line's own."""

    table = COMMANDS
