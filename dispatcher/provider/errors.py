"""What can go wrong with the provider, split by what the caller must do about it.

    ProviderError
     ├─ NotPlaced                 no call rings because of this request
     │   ├─ TryAgain              NeverReached, NotSent, Throttled, Unavailable
     │   ├─ NeverWillBe           InvalidRequest, NotAllowed
     │   └─ AccountStopped        NotEnoughCredits, BadCredentials, Forbidden, WrongAddress
     ├─ MaybePlaced               AnswerLost, ServerTrouble, UnreadableAnswer
     └─ UnknownCall

Who only asks places no call, so the errors of that are never MaybePlaced.
"""

from __future__ import annotations

from decimal import Decimal

from dispatcher.errors import DispatcherError, UsageError


class Misconfigured(UsageError, ValueError):
    """A provider's settings are wrong; correct the one that is named."""


class UnknownProvider(Misconfigured):
    """There is no provider of this name; write one of those that the message lists."""


class UnexpectedShape(DispatcherError, ValueError):
    """The data is not what the provider documents; do not act on it."""


class ProviderError(DispatcherError):
    """The provider did not do what it was asked to.

    `status` is the HTTP status, None where none came. `detail` is the provider's own words, or
    the network's: telephone numbers masked, cut to a few hundred characters.
    """

    def __init__(self, message: str, *, status: int | None = None, detail: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail


class NotPlaced(ProviderError):
    """No call was placed; it is safe to ask again."""


class MaybePlaced(ProviderError):
    """A call may have been placed; wait for evidence before asking again."""


class UnknownCall(ProviderError):
    """The provider knows no call or conference with this id; check the id."""


class TryAgain(NotPlaced):
    """No call was placed, for a passing reason; ask again later."""


class NeverWillBe(NotPlaced):
    """No call was placed, and asking again changes nothing; give this job up."""


class AccountStopped(NotPlaced):
    """No call was placed, and none will be for any job; hold them all until a person has helped."""


class NeverReached(TryAgain):
    """The provider could not be reached; check network and proxy, then try again."""


class NotSent(TryAgain):
    """The request was not sent; try again later."""


class Throttled(TryAgain):
    """The provider throttles this account; slow down and try again after the wait.

    `retry_after` is the wait in seconds, None where the provider named none.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        detail: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, status=status, detail=detail)
        self.retry_after = retry_after


class Unavailable(TryAgain):
    """The provider could not answer and placed no call; try again later."""


class InvalidRequest(NeverWillBe):
    """The provider refuses this request as invalid; correct it and enqueue it again.

    `fields` are the refused parameters with the provider's messages, `{}` where it named none;
    `language`: among them is the language of the text, which would be refused of any job.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        detail: str = "",
        fields: dict[str, list[str]] | None = None,
        language: bool = False,
    ) -> None:
        super().__init__(message, status=status, detail=detail)
        self.fields = fields or {}
        self.language = language


class NotAllowed(NeverWillBe):
    """The account may not call this country; ask the provider to allow it."""


class NotEnoughCredits(AccountStopped):
    """The account has too few credits for a call; top it up.

    `required` is what this call needs, None where the provider did not say.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        detail: str = "",
        required: Decimal | None = None,
    ) -> None:
        super().__init__(message, status=status, detail=detail)
        self.required = required


class BadCredentials(AccountStopped):
    """The provider does not know these credentials; check them."""


class Forbidden(AccountStopped):
    """The provider refuses this account or machine; check its address against the allow list."""


class WrongAddress(AccountStopped):
    """There is no voice API at this address; check the provider's host."""


class AnswerLost(MaybePlaced):
    """The request was sent, but its answer was lost; find out whether the call exists."""


class ServerTrouble(MaybePlaced):
    """The provider failed to handle the request; find out whether the call exists."""


class UnreadableAnswer(MaybePlaced):
    """The answer is not what the provider documents; find out whether the call exists."""
