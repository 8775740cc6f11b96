"""What Redis answers instead of doing what it was asked: read by its code, told with a remedy.

redis-py makes classes of some codes and cuts them off the words, leaves others at the beginning,
and in a pipeline puts a sentence with the arguments before either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_CODE_OF: Mapping[str, str] = {
    "AskError": "ASK",
    "BusyLoadingError": "LOADING",
    "ClusterDownError": "CLUSTERDOWN",
    "MasterDownError": "MASTERDOWN",
    "MovedError": "MOVED",
    "NoPermissionError": "NOPERM",
    "NoScriptError": "NOSCRIPT",
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "TryAgainError": "TRYAGAIN",
}
"""redis-py's classes, whose words lack the code that Redis sent."""
_CODE_OF_WORDS: Mapping[str, str] = {
    "The previous master is now a slave": "READONLY",  # redis-py's own, behind sentinels
    "max number of clients reached": "MAXCLIENTS",
    "The user executing the script can't": "NOPERM",  # inside an operation, until Redis 7.0
    "ACL failure in script": "NOPERM",  # the same, of all newer servers
}
"""How words begin that come without a code."""
_BEFORE = " of pipeline caused error: "
"""What ends redis-py's sentence with the arguments. They may hold it as well, the rest does not."""
_PAGE = "docs/redis.acl lists them"

REMEDIES: Mapping[str, str] = {
    "OOM": "is full (OOM): raise maxmemory, or remove old jobs with `voice-dispatcher purge`",
    "READONLY": "is a replica, which takes no writes (READONLY):"
    " name its master in the URL, or the sentinels (sentinel://…), which are asked at each try",
    "NOREPLICAS": "has fewer replicas in step than min-replicas-to-write wants (NOREPLICAS):"
    " bring them back, or lower it",
    "MISCONF": "cannot save to its disk (MISCONF): its log says why; free space, or correct the"
    " folder",
    "LOADING": "is loading its data (LOADING): it answers when that is done",
    "BUSY": "is busy with a script or function (BUSY): wait for its end, or end it with"
    " SCRIPT KILL or FUNCTION KILL",
    "MASTERDOWN": "is a replica whose master is out of reach (MASTERDOWN): bring the master back,"
    " or name the server that took its place",
    "CLUSTERDOWN": "is a cluster in which slots are not served (CLUSTERDOWN): see CLUSTER INFO",
    "TRYAGAIN": "is a cluster that is moving our keys (TRYAGAIN): it goes on when they are moved",
    "ASK": "is a cluster that is moving our keys (ASK): it goes on when they are moved",
    "MOVED": "is a cluster that keeps our keys on another server (MOVED): name that one in the URL",
    "UNBLOCKED": "has become a replica meanwhile (UNBLOCKED): try again in a moment",
    "NOSCRIPT": "has lost a script (NOSCRIPT): try again in a moment",
    "MAXCLIENTS": "lets no more clients in: raise maxclients, or close connections",
}
"""What is wrong with a Redis that may do the same later, and what to do, by the code."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a server said: its code ('' where there is none that we know), and its words without
    the code and without what it was asked.
    """

    code: str
    words: str

    @property
    def passes(self) -> bool:
        """Whether the same may be done later."""
        return self.code in REMEDIES

    def missing_right(self, keys: str) -> str:
        """Return what the user of Redis is not allowed, as a rule of its ACL where that is told.
        `keys` is how ours begin; '' where that is not known.
        """
        if found := re.search(r"run the '([^']+)' command", self.words):
            return f"the command {found[1]} (+{found[1]})"
        if "channel" in self.words:
            return f"a channel of the dispatcher ({f'&{keys}:*' if keys else _PAGE})"
        if "key" in self.words:
            return f"a key of the dispatcher ({f'~{keys}*' if keys else _PAGE})"
        return "a command inside an operation (`voice-dispatcher doctor` names it)"


def read(error: Exception) -> Refusal:
    """Return what an exception of redis-py says."""
    text = str(error).rpartition(_BEFORE)[2]
    code = _CODE_OF.get(type(error).__name__) or _code_of_words(text)
    return Refusal(code, text.removeprefix(f"{code} "))


def _code_of_words(text: str) -> str:
    for words, code in _CODE_OF_WORDS.items():
        if text.startswith(words):
            return code
    first = text.partition(" ")[0]
    return first if first in REMEDIES or first in {"NOPERM", "SCHEMA"} else ""
