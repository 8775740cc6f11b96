"""The provider's voice API: a client, its typed answers, and errors that say what to do."""

from __future__ import annotations

from dispatcher.provider.answers import (
    CallStatus,
    Conference,
    ConferenceStatus,
    Participant,
    parse_report,
)
from dispatcher.provider.client import VoiceClient
from dispatcher.provider.errors import (
    AccountStopped,
    AnswerLost,
    BadCredentials,
    Forbidden,
    InvalidRequest,
    MaybePlaced,
    Misconfigured,
    NeverReached,
    NeverWillBe,
    NotAllowed,
    NotEnoughCredits,
    NotPlaced,
    NotSent,
    ProviderError,
    ServerTrouble,
    Throttled,
    TryAgain,
    Unavailable,
    UnexpectedShape,
    UnknownCall,
    UnreadableAnswer,
    WrongAddress,
)
from dispatcher.provider.session import Credentials
from dispatcher.provider.transport import before_sending

__all__ = [
    "AccountStopped",
    "AnswerLost",
    "BadCredentials",
    "CallStatus",
    "Conference",
    "ConferenceStatus",
    "Credentials",
    "Forbidden",
    "InvalidRequest",
    "MaybePlaced",
    "Misconfigured",
    "NeverReached",
    "NeverWillBe",
    "NotAllowed",
    "NotEnoughCredits",
    "NotPlaced",
    "NotSent",
    "Participant",
    "ProviderError",
    "ServerTrouble",
    "Throttled",
    "TryAgain",
    "Unavailable",
    "UnexpectedShape",
    "UnknownCall",
    "UnreadableAnswer",
    "VoiceClient",
    "WrongAddress",
    "before_sending",
    "parse_report",
]
