"""What stands in Redis: the names of keys, of record fields and of shared constants.

The only place that names them: Python uses these names, and lua_schema.py writes the same ones
out for the Lua library. A change that an older process could not work with needs another SCHEMA
and a step in `voice-dispatcher migrate`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum

from dispatcher.model.states import CALLING, Priority, State

SCHEMA = 3
"""The schema of the records that this code reads and writes. 0.1.0 wrote 1, and 0.2.0 wrote 2."""
MIGRATING = "migrating"
"""What stands in the key `schema` while records are brought up to date."""
DEFAULT_ACCOUNT = "default"
"""The account of jobs and operations that name none."""
DEFAULT_PRIORITY = Priority.NORMAL
"""The priority of jobs whose record names none."""
LONGEST_PIECE = 60
"""Bytes of a field's value; longer ones are cut into `field`, `field~1`, `field~2`, …

One long value would turn a compact hash into its roomy form, of three times the memory.
"""
PIECE_MARK = "~"

KEYS: Mapping[str, str] = {
    # -- the store -------------------------------------------------------------------------
    "schema": "schema",  # string: SCHEMA, or MIGRATING
    "clock": "account:{account}:clock",  # hash: see Clock
    "replicas": "replicas",  # hash: see ReplicaField
    "missing_rights": "missing_rights",  # hash: process -> '<ms> <what it may not do>'
    "processes": "processes",  # hash: id -> '<ms of its last heartbeat> <JSON>', see ProcessField
    # -- jobs ------------------------------------------------------------------------------
    "job": "jobs:{}",  # hash, by id: the record, see Field; also the channel of its changes
    "by_state": "by_state:{}",  # by <state>[:<reason>]: id by creation, lua/lib/pages.lua; but
    # of states in CALLING, whose jobs are in one page without a floor
    "by_state_page": "by_state_page:{}:{}",  # zset, by the same and floor
    "states": "states",  # hash: <state>[:<reason>], all that were ever used -> how many jobs; not
    # of states in CALLING, which have one page
    "by_tag": "by_tag:{}",  # by tag: id by creation, lua/lib/pages.lua
    "by_tag_page": "by_tag_page:{}:{}",  # zset, by the same and floor
    "by_recipient": "by_recipient:{}",  # zset, by the last digits: id, see lua/lib/recipients.lua
    "by_call": "by_call:{}",  # hash, by the begin of sha1(callid): what follows of it -> id
    "purged_message": "purged_message:{}",  # string, by message: its job is purged; MESSAGE_KEPT
    "calling": "calling:{}",  # string, by digits: id of the job that is calling the number
    "called": "called:{}",  # list, by digits: moments of a day's calls, the latest first
    "do_not_call": "do_not_call",  # hash: see lua/lib/do_not_call.lua
    "do_not_call_ends": "do_not_call:ends",  # zset: keyed hash by when its first entry ends
    # -- the queue of an account -----------------------------------------------------------
    "due": "account:{account}:due:{}",  # zset, by state, or `cost`: id by what happens next
    "lines": "account:{account}:lines:{}",  # zset, by priority: line by how much it has had
    "ready": "account:{account}:ready:{}:{}",  # zset, by priority and line: id by due time
    "set_aside": "account:{account}:set_aside",  # zset: id by when it stands in line anew
    "taken": "account:{account}:taken:{}",  # string, by token: ids that were claimed; a lease long
    "woken": "account:{account}:woken",  # string: see lua/lib/wakeup.lua
    "held": "account:{account}:held:{}:{}",  # zset, by hold and priority: id by due time
    "holds_used": "account:{account}:held",  # set: holds that something is held by
    "waiting": "account:{account}:waiting",  # hash: <state>:<tariff> -> how many jobs wait
    "clients": "account:{account}:clients",  # hash: <client>CLIENT_JOBS, <client>CLIENT_BYTES
    # -- the limits of an account ----------------------------------------------------------
    "config": "account:{account}:config",  # hash: see Config
    "holds": "account:{account}:holds",  # hash: hold -> JSON, see lua/lib/holds.lua
    "breaker": "account:{account}:breaker",  # hash: failures of the provider in a row
    "pace": "account:{account}:pace",  # hash: where the limiter stands
    "recent": "account:{account}:recent",  # list: moments (µs) of the latest requests
    "connections": "account:{account}:connections",  # zset: requests under way by end of lease
    "credit": "account:{account}:credit",  # hash: see Credit
    "burn": "account:{account}:burn",  # hash: <10 minutes since the epoch> -> units spent
    "costs": "account:{account}:costs",  # hash: tariff -> what its calls cost, lib/costs.lua
    "countries_called": "account:{account}:countries_called",  # hash: lua/lib/unusual.lua
    "hourly_spending": "account:{account}:hourly_spending",  # hash: the same
    "unusual": "account:{account}:unusual",  # hash: the same
    "spending_limits": "account:{account}:spending_limits",  # hash: scope -> limit; SPENDING_DAY
    "spent": "account:{account}:spent:{}",  # hash, by period: scope -> units spent or reserved
    "refused_languages": "account:{account}:refused_languages",  # hash: language -> when (ms)
    "typical_durations": "account:{account}:typical_durations",  # hash: kind of call -> ms
    "events": "account:{account}:events",  # stream: `kind`, `facts`; the latest EVENTS_KEPT
    "events_taken": "account:{account}:events_taken",  # string: the latest one made a webhook of
    "stoppage": "account:{account}:stoppage",  # hash: see StoppageField
    "ping": "account:{account}:ping:{}",  # string, by alive or fail: that ping was sent lately
    "drills": "account:{account}:drills",  # hash: chain and schedule -> the last that was due (ms)
    "drills_ringing": "account:{account}:drills:ringing",  # hash: alert -> chain
    # -- callbacks and counters ------------------------------------------------------------
    "callbacks": "callbacks",  # zset: what was reported of calls by when it is applied next
    "callbacks_seen": "account:{account}:callbacks_seen",  # hash: see Seen
    "counters": "counters",  # hash: what is counted for good
    "campaigns": "campaigns",  # zset: campaign by when its first job was accepted
    "campaign": "campaign:{}",  # hash, by campaign: see CampaignField, lua/lib/campaigns.lua
    "campaign_hours": "campaign_hours:{}",  # hash: <hours since the epoch>:dialled, …:answered
    "campaigns_over": "campaigns:over",  # zset: campaign by when its last job was removed
    "outcomes": "outcomes:{}",  # hash, by hour: <minute>:<state>[:<reason>] -> how many ended so
    "history": "account:{account}:history",  # hash: <hours since the epoch> -> JSON, see History
    "line_lengths": "account:{account}:line_lengths",  # hash: <minutes since the epoch> -> jobs
    "alert_summary": "alerts:summary",  # the end of the last week that was told, in ms
    # -- who is on call --------------------------------------------------------------------
    "on_call": "on_call",  # hash: see OnCallField
    "on_call_versions": "on_call:versions",  # list: JSON, the latest first; ON_CALL_VERSIONS
    "chains_files": "on_call:files",  # hash: id of who watches one -> "<ms> JSON", see ChainsFiles
    "swaps": "on_call:swaps",  # hash: id -> JSON: a shift that overrules a rota
    # -- webhooks: a target of the settings is named by its place, one of a job by its origin
    "delivery": "webhooks:delivery:{}",  # hash, by id: see Delivery, and the record as it stood
    "webhook_targets": "webhooks:targets",  # zset: target by when it is looked at next
    "webhook_target": "webhooks:target:{}",  # hash: `failures` in a row, `until`, `slow`
    "webhooks_due": "webhooks:due:{}",  # zset, by target: delivery by the next try
    "webhooks_out": "webhooks:out",  # zset: deliveries whose message is out, by end of lease
    "webhooks_under_way": "webhooks:out:{}",  # zset, by target: the same, and being sent
    "webhooks_dead": "webhooks:dead",  # zset: deliveries that were given up, by when
    "webhook_sequence": "webhooks:sequence",  # string: how many events there were
    "webhook_news": "webhooks:news",  # channel: something is to be delivered
    "bell": "bell:{}",  # channel, by a random name: wakes one process
    # -- alerts ----------------------------------------------------------------------------
    "alert": "alert_record:{}",  # hash, by id: the record, see AlertField
    "alert_jobs": "alert_jobs:{}",  # set, by id: those of its jobs that have not ended
    "alert_members": "alert_members:{}",  # zset, by bundle: the alerts that it tells of
    "alerts": "alerts",  # zset: alert by when it was first reported
    "alerts_by_state": "alerts:by_state:{}",  # zset, by state: the same; an alert is in one
    "alerts_due": "alerts:due",  # zset: alert by when it is looked at next
    "alert_incidents": "alerts:incidents",  # hash: source and fingerprint -> the latest incident
    "alert_rings": "alerts:rings:{}",  # zset, by chain: what rings by when that began; of a storm
    "alert_storms": "alerts:storms",  # hash: chain -> the bundle that rings for a storm
    "refused_reports": "alerts:refused",  # hash: source and key -> what it was refused, JSON
    # -- people ----------------------------------------------------------------------------
    "api_keys": "api_keys",  # zset: API keys by creation
    "api_key": "api_key:{}",  # hash, by id: see ApiKeyField
    "quota": "api_key:{}:quota",  # string, by id: when all of its rate is free again
    "audit": "audit_log",  # stream: what people did
    "bulk_action": "bulk_action:{}",  # hash, by id: see BulkField
    "bulk_action_ids": "bulk_action:{}:{}",  # list, by id, `ids`: the jobs that are left
    "bulk_actions": "bulk_actions",  # zset: id by when it was begun
    "bulk_actions_running": "bulk_actions:running",  # zset: by when somebody else drives it
    "session": "session:{}",  # hash, by hash of its secret: somebody logged in to the console
    "cursor_secret": "cursor_secret",  # string: what the API's cursors are sealed with; for good
    "login_failures": "login_failures:{}",  # string, by address
}
"""The name of each kind of key after the namespace, such as `{vd}:jobs:<id>`.

No name is one of 0.1.0, whose processes therefore never meet these records, nor ours theirs.
Retention: a job's keys go with the job (ops/purge_job.lua); the rest are bounded by what is alive,
or say so where they are written.
"""

FIRST_SCHEMA_KEYS = ("reasons", "limits", "gates", "keys", "counts", "audit")
"""Keys of 0.1.0, one of which at least stands where it ever ran: it wrote no key `schema`."""
BARRIER = "gates"
"""What every operation of 0.1.0 reads first, as a hash: a string there stops them all."""


def key_name(root: str, account: str, name: str, *parts: str) -> str:
    """Return the whole name of a key: `key_name("{vd}", "default", "job", id)`."""
    return f"{root}:{KEYS[name].format(*parts, account=account)}"


def has_one_page(kind: str, name: str) -> bool:
    """Return whether an index by creation is a single page, however many jobs are in it."""
    return kind == "by_state" and name in CALLING


def callid_place(callid: str) -> tuple[str, str]:
    """Return the hash that a call's job is found in, and the field."""
    found = hashlib.sha1(callid.encode(), usedforsecurity=False).hexdigest()
    return found[:CALLID_BUCKET], found[CALLID_BUCKET:CALLID_KEPT]


class Field(StrEnum):
    """The fields of a job's record. Moments in ms since the epoch, durations in ms.

    What most records have is named by a letter or two: a million records say each name a million
    times. Also `t0`, `t1`, … (the timeline, as lua/lib/event_text.lua and event_text.py write it)
    and the fields of attempts: `<n><AttemptField>`.
    """

    FINGERPRINT = "fp"  # of the request
    STATE = "s"
    REASON = "r"  # absent: none
    HOLD = "hold"  # the hold that keeps it, as long as it is held
    PRIORITY = "p"  # absent: DEFAULT_PRIORITY
    ACCOUNT = "account"  # absent: DEFAULT_ACCOUNT
    CREATED = "c"
    DUE = "d"  # absent: as it was created
    EXPIRES = "x"
    LIFETIME = "xl"  # from creation to the deadline
    FINISHED = "f"  # ms since its creation
    ATTEMPTS = "n"  # the latest one's number; absent: none yet
    SPENT = "sp"  # attempts that count against the most; absent: none
    COUNTED_FROM = "counted_from"  # attempts up to this one do not count any more
    EVENTS = "e"  # lines of the timeline
    TOKEN = "token"  # noqa: S105 - of the claim that is under way; empty: it is settled
    OPENS = "opens"  # the calling window that is open or opens next
    CLOSES = "closes"
    WINDOW_OF = "window_of"  # the calling hours that the window comes from
    OUTCOME = "o"  # the provider's word
    DURATION = "du"  # seconds that were talked
    MOVED = "moved"  # <events>:<when its next moment was moved>, lib/moments.lua
    COST_CHECK = "cost_check"  # ms until the cost of the end is looked for; absent: it is not
    TARIFF = "v"
    # what was asked for
    TO = "to"  # digits, commas between
    NUMBER_TYPES = "number_types"  # of these, commas between; absent: all are ordinary
    SAY = "say"
    PLAY = "pl"
    LANGUAGE = "la"
    CALLER = "ca"
    TAGS = "tg"  # commas between
    KEY = "k"
    MAX_ATTEMPTS = "max_attempts"
    REDIAL = "redial"
    REDIAL_AFTER = "redial_after"
    ON_UNCERTAIN = "on_uncertain"
    EVIDENCE_WINDOW = "evidence_window"
    CALL_DEADLINE = "call_deadline"
    HOURS = "hours"
    BACKOFF_LONGEST = "backoff_longest"
    WEBHOOK = "webhook"
    PARAMS = "params"  # JSON: further fields for the provider
    CODE = "code"  # digits, until the job has ended; then CODE_REMOVED
    ANSWERED_AFTER = "answered_after"
    DNC = "dnc"  # `exempt` from the do-not-call list; absent: it is obeyed
    META = "meta"  # JSON: fields of the producer's own
    TRACEPARENT = "tp"  # the W3C's: which trace it belongs to; absent: none is known
    SIZE = "size"  # bytes that it takes, about, if a client of the HTTP API asked; absent: no count
    ASKED_AGAIN = "asked_again"  # 1: another request relies on it, ops/withdraw.lua
    ALERT = "alert"  # id of the alert whose chain it is a call of
    MESSAGES = "messages"  # ids of the call task's messages that asked for it, commas between


class AlertField(StrEnum):
    """The fields of an alert's record. Moments in ms since the epoch.

    Also `c<n>` (a call: '<at> <round> <step> <turn> <contact> <job>', or for the job '-' and why
    there is none) and `t<n>` (a line of its timeline: '<at> <who> <what>'); of each the latest
    ALERT_HISTORY are kept.
    """

    VERSION = "version"
    STATE = "state"
    REASON = "reason"
    SOURCE = "source"
    FINGERPRINT = "fingerprint"
    INCIDENT = "incident"  # what its source and fingerprint are found by in `alert_incidents`
    SEVERITY = "severity"
    SUMMARY = "summary"
    LABELS = "labels"  # JSON
    ANNOTATIONS = "annotations"  # JSON
    LINK = "link"
    TRACEPARENT = "traceparent"  # of the report that made it; absent: none is known
    CHAIN = "chain"
    RULES = "rules"  # JSON: the chain as it was when it began
    STORM_MORE_THAN = "storm_more_than"  # of these rules
    STORM_WITHIN = "storm_within"  # ms
    REPEAT_AFTER = "repeat_after"  # ms
    TELL_RESOLVED = "tell_resolved"
    STARTED = "started"
    RECEIVED = "received"
    HEARD = "heard"
    REPORTS = "reports"
    RUNG = "rung"
    BEGAN = "began"  # its chain, the latest time
    ACKNOWLEDGED = "acknowledged"
    ACKNOWLEDGED_BY = "acknowledged_by"
    ACKNOWLEDGED_HOW = "acknowledged_how"
    ENDED = "ended"
    TOLD_BY = "told_by"  # its bundle, as long as it is a member
    MEMBERS = "members"
    FIRING = "firing"  # members that are not resolved
    FOLDED = "folded"  # members that nobody has acknowledged or cancelled by themselves
    ROUND = "round"
    STEP = "step"
    TURN = "turn"
    SINCE = "since"
    POSITION = "position"  # JSON: what else the chain's next step must know, policy/chain_position
    NEXT = "next"
    TELLING = "telling"  # 1: it is over, and who was called is to be told
    CALLS = "calls"  # how many there were
    LINES = "lines"  # of the timeline, how many there were


class AttemptField(StrEnum):
    """The fields of an attempt in its job's record, each after `<n>`.

    Operations are told them by the names that they have here, in lower case.
    """

    PROVIDER = "p"
    ACCOUNT = "account"  # absent: DEFAULT_ACCOUNT
    TO = "to"  # absent: the job's numbers
    SENT = "s"  # ms since the job's creation
    ENDED = "e"  # the same
    RESERVED = "v"  # units; absent once the cost is known
    RESULT = "r"
    CALLID = "c"  # commas between those of a conference
    CONFERENCE = "conference"
    COST = "k"  # credits
    DURATION = "du"  # seconds that were talked
    PARTICIPANTS = "participants"  # JSON, of a conference
    REPORTED = "reported"  # a callback came for a call that is not known to be over
    ERROR = "error"


def attempt_field(number: int | str, name: AttemptField) -> str:
    """Return the name of an attempt's field in the record."""
    return f"{number}{name}"


class Config(StrEnum):
    """The fields of an account's configuration, which its workers publish.

    An absent field: there is no such limit.
    """

    RATE = "rate"  # requests a second
    RATE_COUNT = "rate_count"  # requests in one of its windows
    RATE_WINDOW = "rate_window"  # ms
    MARGIN = "margin"  # parts of a second
    MARGIN_MOST = "margin_most"
    CHECK_SHARE = "check_share"
    RECOVERY = "recovery"  # ms
    CONNECTIONS = "connections"
    CONNECTION_LEASE = "connection_lease"  # ms
    RECIPIENT_GAP = "recipient_gap"  # ms between two calls to a number
    RECIPIENT_PER_DAY = "recipient_per_day"
    ONE_AT_A_TIME = "one_at_a_time"
    DNC_URGENT = "dnc_urgent"  # `exempt`: the do-not-call list is not for urgent jobs
    CALLING_HOURS = "calling_hours"
    COUNTRIES = "countries"
    BLOCKED_COUNTRIES = "blocked_countries"
    NUMBER_TYPES = "number_types"  # that may be called besides ordinary ones; absent: none
    CREDIT_FLOOR = "credit_floor"  # units
    EXPECTED_COST = "expected_cost"  # units
    CREDIT_WARNINGS = "credit_warnings"  # units, commas between
    SPEND_PER_DAY = "spend_per_day"  # units
    SPEND_PER_CALL = "spend_per_call"  # units
    HOLD_UNUSUAL = "hold_unusual"  # what is unusual and holds all calls, commas between
    ZONE = "zone"
    BREAKER_FAILURES = "breaker_failures"
    WEBHOOK_TARGETS = "webhook_targets"  # how many
    EVERY_CHANGE = "every_change"  # targets are told of every change, not ends only
    REPLICAS = "replicas"  # that a claim must be on; absent: one, where the server has one
    LANGUAGE = "lang"  # of texts whose request names none
    ACCEPT_DURABLE = "accept_durable"  # producers are answered when the replicas have it
    DIGEST = "digest"  # of all these; lua/lib/config.lua


class ReplicaField(StrEnum):
    """The fields of what is known of the replicas of this master."""

    MASTER = "master"  # its replication id
    SEEN = "seen"  # when it was last seen to have a replica; absent: it has had none
    TRIED = "tried"  # what is written to see whether replicas get it


class ProcessField(StrEnum):
    """The fields of what a process tells of itself."""

    ROLE = "role"
    NAME = "name"
    HOST = "host"
    PID = "pid"
    VERSION = "version"
    SETTINGS = "settings"  # name -> some digits of the hash of its value
    STARTED = "started"  # ms since the epoch
    STILL = "still"  # seconds since it last began a task; null: its role begins none
    TELLS = "tells"  # mail, ping: how it tells that nobody can be called


class StoppageField(StrEnum):
    """The fields of what is known of a stoppage; moments in ms since the epoch."""

    SINCE = "since"  # when it was first seen; absent: people can be called
    CAUSE = "cause"
    WHY = "why"
    REMEDY = "remedy"
    TOLD = "told"  # 1: it has lasted for long enough to be told of
    NEWS = "news"  # stopped or possible: people are to be told by mail; absent: they have been
    NEWS_AT = "news_at"
    NEWS_SINCE = "news_since"
    NEWS_CAUSE = "news_cause"
    NEWS_WHY = "news_why"
    NEWS_REMEDY = "news_remedy"
    NEWS_UNTIL = "news_until"  # the end of the lease of who tells them


class Pace(StrEnum):
    """The fields of where an account's limiter stands; moments in µs of its own time (pace.lua)."""

    NEXT_SLOT = "next_slot"
    NEXT_EVEN_SLOT = "next_even_slot"  # of requests that are not urgent, in a long window
    NEXT_CHECK_SLOT = "next_check_slot"  # when the share of status checks comes next
    BLOCKED_UNTIL = "blocked_until"  # as a 429 said
    FRACTION = "fraction"  # of the rate that the last 429 left, in billionths
    THROTTLED_AT = "throttled_at"  # when it came
    REFUSED_AT = "refused_at"  # when a 429 came that told something new
    GRANTED = "granted"  # how many requests went out since
    QUICK = "quick"  # µs that a quick round trip takes
    SLOW = "slow"  # and a slow one
    WIDENED = "widened"  # µs by which a lone 429 widened the margin
    WIDENED_AT = "widened_at"
    IN_SECOND = "in_second"  # how many requests the provider was found to take in one
    IN_SECOND_AT = "in_second_at"  # and when
    IN_MINUTE = "in_minute"
    IN_MINUTE_AT = "in_minute_at"
    IN_HOUR = "in_hour"
    IN_HOUR_AT = "in_hour_at"
    IN_DAY = "in_day"
    IN_DAY_AT = "in_day_at"
    LAST_REQUEST = "last_request"
    TURNS = "turns"  # how many turns were taken, lua/lib/turns.lua
    COLD_SINCE = "cold_since"  # when requests began after a pause
    SEEN = "seen"  # when Redis' clock was looked at last
    BEHIND = "behind"  # µs by which its time is behind Redis' clock; negative: ahead of it


class Clock(StrEnum):
    """The fields of what is known of Redis' clock; moments in ms since the epoch."""

    LATEST = "latest"  # what it was when it was looked at last
    STEPPED = "stepped"  # what it was just after its latest step
    BY = "by"  # ms of that step; negative: it went back
    PASS = "pass"  # noqa: S105 - what is moved now because of it; absent: all is done
    CURSOR = "cursor"  # how far that has come


class Credit(StrEnum):
    """The fields of an account's credit ledger, in units of 1/10000 credit."""

    BALANCE = "balance"  # as last seen
    CHECKED = "checked"  # when it was seen
    SPENT_AT_CHECK = "spent_at_check"  # `spent` as it was when the check began
    SPENT = "spent"  # what all ended calls cost, for good
    RESERVED = "reserved"  # for calls under way
    ESTIMATED = "estimated"  # of calls that ended since the check, their cost not known
    MISSES = "misses"  # checks in a row that failed
    NEXT_CHECK = "next_check"
    CHECKS = "checks"  # for the backoff
    WARNED = "warned"  # the lowest level that a warning was given for


class Seen(StrEnum):
    """The fields of what is seen of callbacks arriving; moments in ms since the epoch."""

    LAST = "last"  # when one of a call came
    MISSING = "missing"  # calls that a status check found over, since then
    REDIALLED = "redialled"  # jobs dialled again because none came, since then
    TEST_PASSED = "test_passed"  # when a worker's own request came through
    TEST_FAILED = "test_failed"  # when it did not


class CampaignField(StrEnum):
    """The fields of what became of a campaign, moments in ms since the epoch.

    Also `<state>[:<reason>]` (how many of its jobs are there), `minute:<n>` ('<minutes since the
    epoch> <how many ended in it>'), and by number of attempt `dialled:<n>` and `answered:<n>`.
    """

    JOBS = "jobs"  # that were accepted
    PURGED = "purged"  # those of them whose records are gone: what became of them still counts
    ATTEMPTS = "attempts"
    SPENT = "spent"  # units
    TALKED = "talked"  # ms
    BEGUN = "begun"  # the first job was accepted
    FIRST_DIALLED = "first_dialled"
    ENDED = "ended_at"  # the latest end of a job
    DIALLED = "dialled"
    ANSWERED = "answered"
    MINUTE = "minute"


class Delivery(StrEnum):
    """The fields of a webhook delivery, beside the job's record as it stood then."""

    EVENT = "@event"
    TYPE = "@type"
    AT = "@at"
    SEQUENCE = "@sequence"
    TARGET = "@target"
    FACTS = "@facts"
    SINCE = "@since"  # of these tries
    TRIES = "@tries"
    ERROR = "@error"


class BulkField(StrEnum):
    """The fields of a bulk action; also `skipped:<refusal>` (how many jobs were left alone for
    this reason) and `examples:<refusal>` (the ids of the first of them).
    """

    ACTION = "action"
    STATE = "state"  # previewed, running, done, stopped
    SELECTION = "selection"  # in words
    OPTIONS = "options"  # JSON
    MATCHED = "matched"
    SELECTED = "selected"
    EXPECTED_CREDITS = "expected_credits"
    CREDITS_IF_ANSWERED = "credits_if_answered"
    MAY_HAVE_BEEN_CALLED = "may_have_been_called"
    EXCLUDED = "excluded"  # JSON
    ACTOR = "actor"
    NOTE = "note"
    STARTED = "started"
    DONE = "done"  # how many
    ENDED = "ended"
    REMAINING = "remaining"  # how many were left when it ended


class OnCallField(StrEnum):
    """The fields of who is on call, as it was published last."""

    VERSION = "version"
    CONFIG = "config"  # JSON: model/on_call.py
    AT = "at"
    BY = "by"
    REFUSED = "refused"  # what is wrong with the file that came since; absent: nothing
    REFUSED_AT = "refused_at"


class ApiKeyField(StrEnum):
    """The fields of an API key."""

    HASH = "hash"  # of its secret
    NAME = "name"
    SCOPES = "scopes"
    CREATED = "created"
    EXPIRES = "expires"
    REVOKED = "revoked"
    USED = "used"
    RATE = "rate"
    NOTE = "note"
    RIGHTS = "rights"  # JSON; absent: what the settings of the account allow
    WAITING = "waiting"  # jobs of the client that may wait; absent: as many as the settings say


STATE_LETTERS: Mapping[str, str] = {
    State.SCHEDULED: "s",
    State.QUEUED: "q",
    State.HELD: "h",
    State.DIALING: "d",
    State.UNCERTAIN: "u",
    State.IN_PROGRESS: "i",
    State.COMPLETED: "c",
    State.FAILED: "f",
    State.EXPIRED: "x",
    State.CANCELLED: "a",
}
"""What stands for a state in lines of the timeline."""
ACTOR_LETTERS: Mapping[str, str] = {
    "producer": "p",
    "worker": "w",
    "callback": "c",
    "reconcile": "r",
    "rescue": "s",
    "dispatcher": "d",
    "alert": "a",
    "task": "t",
}
"""What stands there for who acts often; OTHER_ACTOR and the name for all others."""
OTHER_ACTOR = "@"
PAGE_FULL = 126
"""Jobs in a page of an index (lua/lib/pages.lua) at most. Redis keeps 128 closely packed unless it
is set up otherwise (zset-max-listpack-entries), and a page that was once larger stays roomy.
"""
RECIPIENT_LAST, RECIPIENT_BEFORE = 5, 12
"""Digits at the end of a number that an index of recipients is named by, and most of those before
them.
"""
CALLID_BUCKET, CALLID_KEPT = 4, 16
"""Hex digits of a callid's hash that name where its job is kept, and up to which it is kept."""
ALERT_HISTORY = 300
"""Calls, and lines of the timeline, that an alert keeps."""
ALERT_LOOKED_AT = 60_000
"""Milliseconds after which a ringing alert is looked at in any case."""
DO_NOT_CALL_KEY = "key"
"""The field of `do_not_call` that is no number's: what the numbers' hashes are keyed with."""
CLIENT_JOBS, CLIENT_BYTES = " jobs", " bytes"
"""After a client's name in `clients`: how many of its jobs wait, and the bytes that they take."""
BYTES_OF_A_JOB, BYTES_OF_A_TAG, BYTES_OF_A_CAMPAIGN, BYTES_OF_A_BYTE = 800, 150, 500, 2
"""What a job takes about, as Redis 7.0 and Valkey 9.1 say: at least, for each tag that no other job
has, for a campaign that it begins, and for each byte that its fields have (a hash of many pieces is
roomy).
"""
SPENDING_DAY = "@day"
"""Beside the scopes in `spending_limits`: the day that daily limits count."""
BURN_BUCKET = 600
"""Seconds of spending that a field of `burn` counts."""
BURN_BUCKETS = 6
"""How many of these are kept."""
MANY_NEW_COUNTRIES = 10
"""Countries that are called for the first time within an hour, from which on that is unusual."""
USUAL_HOURS = 168
"""Hours whose spending says what is usual."""
HISTORY_WEEKS = 5
"""Weeks for which is known what ended, and what was spent, in each hour."""
LINE_MINUTES = 10
"""Minutes for which is known how many jobs stood in line."""
UNUSUAL_RISE = 10
"""How many times as much as usual is unusual, within an hour."""
UNUSUAL_LEAST_CALLS = 20
"""Expected costs of a call that an hour's spending must exceed to be unusual."""
MESSAGE_KEPT = 86_400_000
"""Milliseconds for which a message of a purged job is known: a broker may give it out again. The
setting call_redelivery stays far below.
"""
MESSAGES_KEPT = 20
"""Messages that a record keeps, of one request that was sent again and again with its key."""
EVENTS_KEPT = 1000
"""Account events that are kept, about."""
EXAMPLES = 10
"""Ids that a bulk action tells of each reason to leave jobs out."""
OWN_TARGET = "job"
"""The webhook target that a job names itself."""
REPLICA_GRACE = 600_000
"""Milliseconds for which a replica that is gone still counts, where no number is set. Sentinel
promotes one that has been cut off for ten times its down-after-milliseconds, 300 s by default.
"""
REFUSED_REPORTS_SHOWN = 86_400_000
"""Milliseconds for which refused reports of monitoring are shown, after the latest."""
REFUSED_REPORTS_TOLD_EVERY = 600_000
"""Milliseconds until the next account event about refused reports of the same sender."""
MISSING_RIGHT_SHOWN = 120_000
"""Milliseconds for which a right that a process lacks is shown. One that runs says it again, and
one that does not start is started again by what keeps it; one that is gone keeps nobody waiting.
"""
PROCESS_FORGOTTEN = 3_600_000
"""Milliseconds after its last heartbeat for which a process that is gone is still known."""
REPLICA_NOTED_EVERY = 30_000
"""Milliseconds between two notes that there is a replica."""
REFUSED_LANGUAGE_KEPT = 7 * 86_400_000
"""Milliseconds for which a language that the provider refused is refused at once: providers add
some, and pause others for a while.
"""
CODE_REMOVED = "-"
"""What stands for a code where it is not needed: in jobs that have ended, and in webhooks."""
ALERT_SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
"""Up to how many seconds the buckets go in which it is counted how soon alerts ring, and how soon
somebody has them.
"""
CHAINS_FILE_FORGOTTEN = 30_000
"""Milliseconds for which a chains file counts as watched since a process last told so."""
ON_CALL_VERSIONS = 20
"""Versions of who is on call of which is known who published them, and when."""
CAMPAIGN_SUMMARIES = 10_000
"""Campaigns without any job that are kept at most."""
RESULTS_OF_AN_END = ("answered", "no_answer", "call_failed", "too_short")
"""Results of an attempt that called somebody, and whose call is over."""


def mismatch(found: str) -> str:
    """Return what is wrong where the key `schema` holds something else than SCHEMA."""
    if found == MIGRATING:
        return (
            "a migration of the records in Redis is under way or was broken off:"
            " run voice-dispatcher migrate again"
        )
    if not found.isdecimal():
        return f"the key `schema` in Redis holds {found[:40]!r}, which is no schema of ours"
    said = f"the records in Redis are of schema {found}, this process knows schema {SCHEMA}"
    return f"{said}: " + ("upgrade it" if int(found) > SCHEMA else "run voice-dispatcher migrate")
