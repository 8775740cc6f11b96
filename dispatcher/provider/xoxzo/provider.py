"""Xoxzo behind the port: our calls as its requests, and its answers as our reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from dispatcher.model.call import CallRef, CallReport
from dispatcher.provider.base import Capabilities, OutgoingCall
from dispatcher.provider.dial_in import RentedNumber
from dispatcher.provider.transport import before_sending as doing_before
from dispatcher.provider.xoxzo import reports
from dispatcher.provider.xoxzo.callbacks import XoxzoCallbacks
from dispatcher.provider.xoxzo.client import NOTHING_MORE, VoiceClient
from dispatcher.provider.xoxzo.dial_ins import XoxzoDialIns, rented
from dispatcher.provider.xoxzo.rules import CAPABILITIES, NAME


class XoxzoProvider(XoxzoCallbacks, XoxzoDialIns):
    """One account at Xoxzo. `params` are form fields that every call is sent with."""

    name: Final = NAME
    capabilities: Final[Capabilities] = CAPABILITIES

    def __init__(self, client: VoiceClient, params: Mapping[str, str] = NOTHING_MORE) -> None:
        self._client = client
        self._params = params

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._client!r})"

    def place(self, call: OutgoingCall, *, before_sending: Callable[[], None]) -> CallRef:
        """Ask for a call or a conference. See the port."""
        with doing_before(before_sending):
            return self._confer(call) if call.is_conference else self._call(call)

    def status(self, call: CallRef) -> CallReport:
        """Ask for the status of a call, or of a conference as a whole. See the port."""
        if call.conferenceid:
            return reports.of_whole(self._client.conference_status(call.conferenceid))
        return reports.of_call(self._client.call_status(next(iter(call.callids), "")))

    def balance(self) -> Decimal:
        """Ask for the account's credits. See the port."""
        return self._client.credits()

    def rented_numbers(self) -> tuple[RentedNumber, ...]:
        """Ask for the numbers that the account rents. See the port."""
        return tuple(map(rented, self._client.dial_in_numbers()))

    def set_action_url(self, rented: RentedNumber, url: str) -> None:
        """Have this URL asked when somebody calls the number. See the port."""
        self._client.set_action_url(rented.id, url)

    def close(self) -> None:
        """Close the kept connections. See the port."""
        self._client.close()

    def _call(self, call: OutgoingCall) -> CallRef:
        (recipient,) = call.numbers
        params = self._with_own(call)
        if call.play:
            callid = self._client.play(
                caller=call.caller,
                recipient=recipient,
                recording_url=call.play,
                tags=call.tags,
                callback_url=call.callback_url,
                params=params,
            )
        else:
            callid = self._client.say(
                caller=call.caller,
                recipient=recipient,
                message=call.say or "",
                lang=call.lang or "",
                tags=call.tags,
                callback_url=call.callback_url,
                params=params,
            )
        return CallRef((callid,))

    def _confer(self, call: OutgoingCall) -> CallRef:
        """Ask for a conference; its page knows neither tags nor a callback."""
        made = self._client.confer(
            caller=call.caller,
            participants=call.numbers,
            lang=call.lang,
            params=self._with_own(call),
        )
        callids = tuple(participant.callid for participant in made.participants)
        return CallRef(callids, made.conferenceid)

    def _with_own(self, call: OutgoingCall) -> Mapping[str, str]:
        """Return the account's form fields and the call's, which go before them."""
        return {**self._params, **call.params}
