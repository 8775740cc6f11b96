"""The problems of the OpenAPI document: made as the routes make them, so that they stay true."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from dispatcher.alerts.acting import AlertEnded
from dispatcher.model.alert import UnknownAlert
from dispatcher.model.api_key import NotLetIn
from dispatcher.model.bulk_action import BulkActionKind, UnknownAction
from dispatcher.model.campaign import UnknownCampaign
from dispatcher.model.invalid_job import InvalidJob
from dispatcher.model.on_call_check import InvalidOnCall
from dispatcher.policy.rotas import InvalidSwap
from dispatcher.store.chains_files import FileInForce
from dispatcher.store.on_call import OtherVersion, UnknownRota
from dispatcher.store.values import KeyConflict, Refused, UnknownJob
from workers.gateway import problems
from workers.gateway.api import strict
from workers.gateway.api.authenticator import rate_used_up
from workers.gateway.api.schema_words import ref
from workers.gateway.caps import Cap, Full
from workers.gateway.middleware import Limit, too_large, too_slow
from workers.gateway.problems import Problem

JOB_ID, ACTION_ID = "ktq3ljmcozfwnu2a", "kqzwmbhtyaov"
ALERT_ID = "w4zk2nq7hfbm3tya"


def _invalid(field: str, why: str) -> Problem:
    return problems.of(InvalidJob([(field, why)]))


NO_KEY = problems.of(NotLetIn())
RATE = rate_used_up("kqzwmbhtya", "50/minute", 1.2)
NO_REDIS = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE, "Redis cannot be reached: start it, or correct its address"
)
NO_PLACE = Full(Cap("bulk requests", 8, "DISPATCHER_BULK_REQUESTS"), 8, own=False).problem()
OWN_PLACES = Full(
    Cap("waits for jobs", 100, "DISPATCHER_WAITS_PER_CLIENT"), 100, own=True
).problem()

TWICE = strict.given_twice("Authorization", 2)
NOT_JSON = strict.not_json("a name is given twice in one object")
UNDECLARED = strict.undeclared()
UNDECLARED_LINES = strict.undeclared_lines()

NO_JOB = problems.of(UnknownJob(JOB_ID))
NO_ACTION = problems.of(UnknownAction(ACTION_ID))
NO_ALERT = problems.of(UnknownAlert(ALERT_ID))
ALERT_ENDED = problems.of(
    AlertEnded(f"alert {ALERT_ID} has been resolved since 2026-11-23 10:04:00 UTC; nobody had it")
)
NO_ROTA = problems.of(UnknownRota("there is no rota 'secondary': there is primary"))
NO_SWAP = problems.of(UnknownRota("there is no rota primary with a swap '5f1c22ab'"))
NO_CAMPAIGN = problems.of(UnknownCampaign("spring"))

OTHER_REQUEST = problems.of(
    KeyConflict(
        f"key 'alert-8812' belongs to another request (job {JOB_ID}): use a new key, or send the"
        " same request"
    )
)
OTHER_ACTION = {
    BulkActionKind.RETRY: problems.other_action(BulkActionKind.CANCEL),
    BulkActionKind.CANCEL: problems.other_action(BulkActionKind.RETRY),
}
REFUSED = {
    BulkActionKind.RETRY: problems.of(
        Refused(f"job {JOB_ID} cannot be retried: it is queued, not ended")
    ),
    BulkActionKind.CANCEL: problems.of(
        Refused(f"job {JOB_ID} cannot be cancelled: it is completed")
    ),
    BulkActionKind.REACHED: problems.of(
        Refused(
            f"job {JOB_ID} cannot be marked as reached: it is failed/no_answer, and only one whose"
            " outcome is unknown can"
        )
    ),
}
WRONG_REQUEST = _invalid("lang", "'xx' is not a language: give an ISO 639-1 code such as en or ja")
WRONG_FIELD = _invalid("notes", "there is no such field; use note")
WRONG_SCOPE = _invalid("tag", "give a tag or a priority, not both")
WRONG_SPAN = _invalid("zone", "'Tokyo' is not a time zone such as Asia/Tokyo")
WRONG_NAME = _invalid("by", "a name has 1 to 40 printable characters")
WRONG_NUMBER = _invalid("number", "give 1 to 500 numbers, not 0")
WRONG_ROTA = _invalid(
    "name", "'a b' is no name: write letters, digits, `.`, `_` and `-`, 40 at most"
)
WRONG_CHAINS = problems.of(
    InvalidOnCall([(("teams", "ops"), "there is no contact 'an': do you mean 'ann'?")])
)
WRONG_SWAP = problems.of(InvalidSwap("it ends (2026-12-24) before it begins (2026-12-27)"))
NO_VERSION = Problem(
    HTTPStatus.PRECONDITION_REQUIRED,
    "the request does not say which version it changes",
    remedy="send `If-Match` with the `ETag` of GET /v1/chains, or `*` for whatever is there",
)
OTHER_VERSION = problems.of(
    OtherVersion("who is on call is not version 2 any more: read it again, and change that")
)
FILE_IN_FORCE = problems.of(
    FileInForce(
        "who is on call stands in /etc/chains.yaml on host-a: change that file, and it comes into"
        " force by itself"
    )
)
WRONG_SELECTION = _invalid("filter", "give either a filter ({} means all jobs) or ids")
UNREADABLE = Problem(
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "nothing in it is an alert: alerts must be a list of alerts, and is null or left out",
    remedy="send what the recipe for this program says",
)
NO_NAME = _invalid("name", "the campaign has no name: write campaign:NAME")
NO_TAG = _invalid("tag", "the campaign has no name: write campaign:NAME")
WRONG_STATE = _invalid("state", "'waiting' is not a valid State")
WRONG_LIMIT = Problem(
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "limit: it is too large: at most 1000",
    faults=[("limit", "it is too large: at most 1000")],
)
WRONG_UNMASK = Problem(
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "unmask: it must be true or false",
    faults=[("unmask", "it must be true or false")],
)
WRONG_DAYS = Problem(
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "days: it is too large: at most 366",
    faults=[("days", "it is too large: at most 366")],
)
WRONG_WAIT = Problem(
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "wait: it is too large: at most 60",
    faults=[("wait", "it is too large: at most 60")],
)


def of_body(limit: Limit) -> list[Problem]:
    """Return the problems of any JSON body."""
    return [NOT_JSON, UNDECLARED, too_large(limit), too_slow(limit)]


def answer(problem: Problem) -> dict[str, Any]:
    """Return a problem as an answer of the document."""
    example = problems.members(problem)
    content = {
        problems.MEDIA_TYPE: {
            "schema": ref("Problem"),
            "example": example,
        }
    }
    return {"description": HTTPStatus(problem.status_code).phrase, "content": content}
