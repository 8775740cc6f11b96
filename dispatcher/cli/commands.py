"""The commands of the command line, where each is found, and what they are for."""

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
    "export": Entry(f"{_OURS}.export:export", "Write jobs to a file, newest first."),
    "purge": Entry(
        f"{_OURS}.purge:purge", "Remove ended jobs for good: by age, or all of one recipient."
    ),
    "show": Entry(
        f"{_OURS}.jobs:show",
        "Show everything about one job: attempts, timeline, what happens next.",
    ),
    "list": Entry(f"{_OURS}.jobs:list_", "List jobs, newest first, with numbers masked."),
    "why": Entry(
        f"{_OURS}.jobs:why", "Say why a job has not been called yet, and what happens next."
    ),
    "stats": Entry(
        f"{_OURS}.jobs:stats", "Show what is wrong, jobs by state, the rate and the credit."
    ),
    "campaign": Entry(f"{_OURS}.campaigns:app", "List campaigns, and show what became of one."),
    "alerts": Entry(
        f"{_OURS}.alerts:app", "See alerts, say that you have one, and stop their calls."
    ),
    "watch": Entry(f"{_OURS}.watch:watch", "Show jobs as they change."),
    "chains": Entry(
        f"{_OURS}.chains:app", "Check, publish, show and try who is called for an alert."
    ),
    "rota": Entry(f"{_OURS}.rota:app", "Show who is on call when, and have somebody stand in."),
    "retry": Entry(f"{_OURS}.job_actions:retry", "Dial jobs again that reached nobody."),
    "reached": Entry(f"{_OURS}.job_actions:reached", "Mark jobs of unknown outcome as reached."),
    "cancel": Entry(f"{_OURS}.job_actions:cancel", "Cancel jobs that are not dialled yet."),
    "prioritise": Entry(
        f"{_OURS}.job_actions:prioritise", "Change the priority of jobs that are not dialled yet."
    ),
    "alert": Entry(
        f"{_OURS}.alert:alert",
        "Report an alert: the people on call for it are called, as the chains say.",
    ),
    "actions": Entry(f"{_OURS}.actions:app", "List, follow and stop bulk actions."),
    "pause": Entry(f"{_OURS}.pause:pause", "Stop new calls until `resume`, also over restarts."),
    "resume": Entry(f"{_OURS}.pause:resume", "End a pause."),
    "dnc": Entry(
        f"{_OURS}.do_not_call:app", "Keep people from being called: the do-not-call list."
    ),
    "balance": Entry(f"{_OURS}.balance:balance", "Show the account's credit."),
    "limit": Entry(f"{_OURS}.limit:app", "Set, list and clear spending limits."),
    "languages": Entry(
        f"{_OURS}.languages:languages",
        "Show the language of texts, and languages that the provider refused.",
    ),
    "run": Entry(f"{_OURS}.run_command:run", "Run a command, and call somebody when it fails."),
    "events": Entry(f"{_OURS}.events:events", "List account events, the oldest first."),
    "audit": Entry(f"{_OURS}.actions:audit", "Show who did what, when and why, the oldest first."),
    "doctor": Entry(f"{_OURS}.doctor:doctor", "Check Redis, broker, workers and provider."),
    "restored": Entry(
        f"{_OURS}.restored:restored",
        "Hold all calls after a restore, and show who may have been called since the backup.",
    ),
    "migrate": Entry(
        f"{_OURS}.migrate:migrate", "Bring the records of an older version up to date."
    ),
    "url": Entry(f"{_OURS}.url:url", "Print the address of Redis, or of a part of `up`."),
    "keys": Entry(f"{_OURS}.keys:app", "Create, list and revoke API keys."),
    "webhooks": Entry(
        f"{_OURS}.webhooks:app", "List webhooks that wait or were given up, and send them again."
    ),
    "dial-in": Process(
        "workers.dial_in_commands:app",
        "Show the account's numbers for people to call back, and have this dispatcher asked.",
    ),
    "sandbox": Entry(
        f"{_OURS}.sandbox:app",
        "Run the provider's sandbox, or `dial-in`: play a person who calls its account.",
    ),
    "up": Process(f"{_PROCESSES}:up", "Run the whole stack in the foreground until Ctrl-C."),
    "demo": Process(
        f"{_PROCESSES}:demo",
        "Make every kind of call once against the sandbox, and show the results.",
    ),
    "worker": Process(f"{_PROCESSES}:worker", "Run a worker that dials."),
    "beat": Process(f"{_PROCESSES}:beat", "Run the clock that starts what is due."),
    "gateway": Process(
        f"{_PROCESSES}:gateway", "Run the HTTP gateway: API, console, metrics, callbacks."
    ),
    "flower": Process(f"{_PROCESSES}:flower", "Run Flower."),
    "health": Process(
        "workers.health.command:health",
        "Check the processes of this machine or container by what they tell: for health checks.",
    ),
}


SECTIONS = {
    "Call people": ("call", "conference", "import", "alert", "run"),
    "See what became of it": (
        *("show", "why", "list", "watch", "stats", "campaign", "alerts"),
        *("export", "events", "audit"),
    ),
    "Decide": (
        *("retry", "cancel", "reached", "prioritise", "actions"),
        *("pause", "resume", "limit", "dnc", "purge"),
    ),
    "Say who is on call": ("chains", "rota", "dial-in"),
    "Look after it": (
        *("doctor", "balance", "languages", "keys", "webhooks", "url"),
        *("migrate", "restored"),
    ),
    "Run it": ("up", "demo", "worker", "beat", "gateway", "flower", "health", "sandbox"),
}
"""What commands are for, in the overview's order; each command is in one of them."""


class Commands(LazyGroup):
    """The command line's own."""

    table = COMMANDS
    sections = SECTIONS
