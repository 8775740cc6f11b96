"""One alert, for `show`, `why` and `alerts show`: its id stands among those of jobs."""

from __future__ import annotations

from dispatcher.cli import output
from dispatcher.store import Store
from dispatcher.values.masking import mask_text


def is_alert(store: Store, id_: str) -> bool:
    """Whether an id is that of an alert, and of no job."""
    return bool(store.alerts.get_many([id_])) and store.jobs.get_many([id_])[0] is None


def show_alert(store: Store, id_: str, *, json: bool) -> None:
    """Print everything about an alert. Raises UnknownAlert."""
    # Not at the top: whoever looks at jobs has no use for it.
    from dispatcher.alerts.story import story  # noqa: PLC0415
    from dispatcher.cli.alert_output import details  # noqa: PLC0415

    found = story(store, id_)
    if json:
        output.as_json(found.to_dict())
    else:
        details(found)


def explain_alert(store: Store, id_: str, *, json: bool) -> None:
    """Print why an alert stands where it stands, and what happens next. Raises UnknownAlert."""
    from dispatcher.alerts.story import story  # noqa: PLC0415

    found = story(store, id_)
    if json:
        output.as_json(found.why())
    else:
        output.lines([f"{id_}  {found.alert.state}", mask_text(found.because)])
