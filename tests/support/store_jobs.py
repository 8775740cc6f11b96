"""What the store's tests share: a clock, requests, and a look at all that stands in Redis."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dispatcher.model.call import CallRef
from dispatcher.model.job import Job
from dispatcher.model.request import JobRequest
from dispatcher.model.states import CALLING, TERMINAL, State
from dispatcher.policy import Decision, Policy, after_error, after_placing
from dispatcher.provider import ProviderError
from dispatcher.store import Store, codec
from dispatcher.store.schema import BARRIER, has_one_page
from dispatcher.store.values import Claim
from support.claims import claim_one
from support.clock import START
from support.index_pages import joined
from support.raw_records import as_written, in_words
from support.redis_inside import key_of, redis_of, root_of

RECIPIENT = "+818011234567"
POLICY = Policy()
NOW = datetime.fromtimestamp(START / 1000, UTC)
TIMED = {State.SCHEDULED, State.DIALING, State.UNCERTAIN, State.IN_PROGRESS}
"""States in which something happens at a known moment, always."""

PLACES = ("by_state:", "due:", "ready:", "held:", "set_aside")
Snapshot = dict[str, dict[str, str]]
"""Every key of a namespace -> its members: field -> value, member -> score, place -> item."""


def request(**fields: Any) -> JobRequest:
    return JobRequest.of({"recipient": RECIPIENT, "say": "Disk full", **fields})


def at(milliseconds: float) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def states(job: Job) -> list[str]:
    """Return the states that a job has been in, in their order."""
    return [event.to for event in job.timeline]


def warm(store: Store) -> None:
    """Have the limiter think that there was a request just now: no slow start."""
    redis_of(store).hset(key_of(store, "pace"), "next_slot", round(store.now() * 1000))


def enqueue(store: Store, **fields: Any) -> str:
    return store.jobs.enqueue(request(**fields)).id


def claim(store: Store, id_: str, token: str = "") -> Claim:
    """Claim a job with a token nobody else uses, and insist on getting it."""
    made = claim_one(store, id_, token=token or random.randbytes(8).hex(), lease=30)
    assert isinstance(made, Claim)
    return made


def placed(callid: str = "call-1") -> Decision:
    return after_placing(CallRef((callid,)), POLICY)


def refused(error: ProviderError, job: Job, policy: Policy = POLICY) -> Decision:
    return after_error(error, job, policy, random.Random(7), NOW)


def in_progress(store: Store, callid: str = "call-1", **fields: Any) -> str:
    id_ = enqueue(store, **fields)
    store.calls.settle(id_, claim(store, id_).attempt, placed(callid))
    return id_


def failed(store: Store, **fields: Any) -> str:
    id_ = enqueue(store, **fields)
    why = Decision(State.FAILED, "invalid_request", "no such number", "invalid_request")
    store.calls.settle(id_, claim(store, id_).attempt, why)
    return id_


_EVERYTHING = """
local found = {}
for _, name in ipairs(redis.call('KEYS', KEYS[1] .. ':*')) do
  local kind, flat = redis.call('TYPE', name).ok, nil
  if kind == 'hash' then
    flat = redis.call('HGETALL', name)
  elseif kind == 'zset' then
    flat = redis.call('ZRANGE', name, 0, -1, 'WITHSCORES')
  elseif kind == 'string' then
    flat = { '', redis.call('GET', name) }
  elseif kind == 'stream' then
    flat = {}
    for _, entry in ipairs(redis.call('XRANGE', name, '-', '+')) do
      flat[#flat + 1] = entry[1]
      flat[#flat + 1] = entry[2][2] .. ' ' .. entry[2][4]
    end
  elseif kind == 'list' then
    flat = {}
    for place, value in ipairs(redis.call('LRANGE', name, 0, -1)) do
      flat[#flat + 1] = tostring(place)
      flat[#flat + 1] = value
    end
  else
    flat = {}
    for _, member in ipairs(redis.call('SMEMBERS', name)) do
      flat[#flat + 1] = member
      flat[#flat + 1] = ''
    end
  end
  local members = {}
  for i = 1, #flat, 2 do
    members[flat[i]] = flat[i + 1]
  end
  found[string.sub(name, #KEYS[1] + 2)] = members
end
return cjson.encode(found)
"""


def snapshot(store: Store) -> Snapshot:
    """Return all that stands in the store's namespace, read in one step; indexes are put together
    from their pages.

    Keys of the account go without its name; the schema and what stops 0.1.0 are left out, and what
    ends by Redis' own clock, and so between two looks.
    """
    text: Any = redis_of(store).eval(_EVERYTHING, 1, root_of(store))
    everything: Snapshot = json.loads(text.decode("utf-8", "surrogateescape")) or {}
    found = {
        name.removeprefix("account:default:"): members
        for name, members in everything.items()
        if name not in {"schema", BARRIER, "account:default:woken"}
    }
    found = joined(found)
    for name, hold in found.get("holds", {}).items():
        found["holds"][name] = json.dumps(json.loads(hold), sort_keys=True)  # Lua's order varies
    return found


def records(found: Snapshot) -> dict[str, dict[str, str]]:
    """Return the records of a snapshot by the jobs' ids, in words; long values in pieces."""
    return {
        name[5:]: in_words(fields) for name, fields in found.items() if name.startswith("jobs:")
    }


def job_of(id_: str, fields: Mapping[str, str]) -> Job:
    """Return the job that a record in words tells of."""
    raw = {
        name.encode(): value.encode("utf-8", "surrogateescape")
        for name, value in as_written(fields).items()
    }
    return codec.job(id_, codec.record(raw))


def assert_sound(found: Snapshot) -> None:
    """Every job stands in exactly the structures its state wants, and nothing else stands there."""
    places: dict[str, set[str]] = defaultdict(set)
    for name, members in found.items():
        if name.startswith(PLACES) and name != "due:cost":
            for id_ in members:
                places[id_].add(name)
    for id_, fields in records(found).items():
        _assert_in_place(fields, places.pop(id_, set()))
    assert not places, f"without a record: {dict(places)}"
    stand = {name[9:]: str(len(ids)) for name, ids in found.items() if name[:9] == "by_state:"}
    counted = {kind: many for kind, many in stand.items() if not has_one_page("by_state", kind)}
    assert counted == {kind: many for kind, many in found.get("states", {}).items() if many != "0"}
    _assert_lines(found)
    _assert_calling(found)
    owing = {id_ for id_, fields in records(found).items() if "cost_check" in fields}
    assert found.get("due:cost", {}).keys() == owing


def _assert_lines(found: Snapshot) -> None:
    """A line has its turn just where somebody stands in it; no hold is forgotten."""
    lines, ready = set(), set()
    for name, members in found.items():
        kind, _, rest = name.partition(":")
        if kind == "lines":
            lines |= {f"{rest}:{line}" for line in members}
        elif kind == "ready":
            ready.add(rest)
        elif name.startswith("held:"):
            assert rest.rpartition(":")[0] in found["held"]
    assert lines == ready


def _assert_calling(found: Snapshot) -> None:
    """A number is busy just while a job may be calling it; a connection is of one that asks.

    Only where late evidence brought a call back may a number be called that another has.
    """
    jobs = records(found)
    calling = {
        (number, id_): job["state"]
        for id_, job in jobs.items()
        if job["state"] in CALLING
        for number in whole(job, "to").split(",")
    }
    busy = {(name[8:], members[""]) for name, members in found.items() if name[:8] == "calling:"}
    assert busy <= calling.keys()
    dialing = {pair for pair, state in calling.items() if state == State.DIALING}
    assert dialing <= busy or "one_at_a_time" not in found.get("config", {})
    for holder in found.get("connections", {}).keys() & jobs.keys():
        assert jobs[holder]["state"] == State.DIALING


def whole(record: Mapping[str, str], field: str) -> str:
    """Return a value of a raw record, its pieces put together."""
    text, piece = record.get(field, ""), 1
    while f"{field}~{piece}" in record:
        text, piece = text + record[f"{field}~{piece}"], piece + 1
    return text


def line_of(record: Mapping[str, str]) -> str:
    """Return the line that a job of this raw record waits in: its campaign's or its producer's."""
    campaigns = [tag for tag in whole(record, "tags").split(",") if tag.startswith("campaign:")]
    return campaigns[0] if campaigns else record["t0"].split(" ")[2][:40]


def _assert_in_place(record: Mapping[str, str], here: set[str]) -> None:
    state, reason, prio = record["state"], record.get("reason"), record["priority"]
    indexes = {name for name in here if name.startswith("by_state:")}
    assert indexes == {f"by_state:{state}:{reason}" if reason else f"by_state:{state}"}
    moments = {name for name in here if name.startswith("due:")}
    assert moments <= {f"due:{state}"}
    assert moments or state not in TIMED, f"nothing would ever happen in {state}"
    assert not moments or state not in TERMINAL, f"something would happen in {state}"
    lines = here - indexes - moments
    match state:
        case State.QUEUED:
            assert lines in ({f"ready:{prio}:{line_of(record)}"}, {"set_aside"})
            assert moments or "expires" not in record
        case State.HELD:
            assert lines == {f"held:{record['hold']}:{prio}"}
            assert record["hold"].partition(":")[0] == reason
            assert moments or "expires" not in record
        case _:
            assert not lines
