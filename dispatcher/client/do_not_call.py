"""The do-not-call list as Python code uses it: `Dispatcher.dnc`."""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.model.do_not_call import Entry, Wish, scope_of, whom
from dispatcher.store.do_not_call import DoNotCallList
from dispatcher.values.durations import MomentLike


class DoNotCalls:
    """Numbers that are not called. A number is given in E.164, as people of a `region` write it
    (the dispatcher's own if none is given), or as a keyed hash of this list.

    All raise InvalidEntry for what is neither, OtherKey for a hash of another list, and
    StoreUnavailable; all may be repeated.
    """

    def __init__(self, list_: DoNotCallList, actor: str, region: str | None = None) -> None:
        self._list, self._actor, self._region = list_, actor, region

    def add(
        self,
        *numbers: str,
        region: str | None = None,
        reason: str = "",
        until: MomentLike | None = None,
        tag: str | None = None,
        keep_number: bool = True,
    ) -> list[str]:
        """Put numbers on the list; return the ids of jobs that may be calling one of them now.

        When it has returned, nobody is asked to call them any more. `until` is a moment or how long
        from now (None: for good); `tag` leaves alone what has not this tag. Without `keep_number`
        only the number's keyed hash is kept. What is on the list already is made longer if need be,
        never shorter.
        """
        where = region or self._region
        wishes = [
            Wish.of(number, region=where, reason=reason, until=until, tag=tag, keep=keep_number)
            for number in numbers
        ]
        return self._list.add(wishes, actor=self._actor).calling

    def remove(
        self, *numbers: str, region: str | None = None, tag: str | None = None, note: str = ""
    ) -> int:
        """Take numbers off the list, or with `tag` the entries for this tag alone; return how many
        entries are gone.
        """
        found = [whom(number, region or self._region) for number in numbers]
        return sum(self._list.remove(found, actor=self._actor, tag=scope_of(tag), note=note))

    def check(self, number: str, region: str | None = None) -> list[Entry]:
        """Return the entries that keep a number from being called; none: it may be."""
        return self._list.check(whom(number, region or self._region))

    def list(self) -> Iterator[Entry]:
        """Yield all entries, in no order, with whole numbers."""
        return self._list.all()
