#!/usr/bin/env bash
# apprise 2.3.0: two ordinary notifications that reach nobody.
#
# 1. A notification with a title and no body ("Disk full on db1") passes Apprise's own check, which asks
#    for a title, a body or an attachment, and is then not handed to a service: a plug-in asks for a body.
#    A function made into a plug-in with @notify is never called for it; the result is false. A class
#    can help itself, by taking the title for the body before its base class looks.
# 2. A URL whose query is empty ("json://host/?", as templates write it where no option is set) cannot be
#    read: `add` returns false, and `notify` then says NOMATCH. The same without the question mark is fine.
#
# Whoever wakes people by Apprise has to look at both return values, and to send a body always.
#
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apprise==2.3.0

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import logging
import sys

import apprise
from apprise.decorators import notify

logging.disable(logging.CRITICAL)
called = []


@notify(on="wake")
def wake(body, title, notify_type, *args, **kwargs):
    called.append((title, body))
    return True


def told(title, body):
    notifier = apprise.Apprise()
    notifier.add("wake://")
    return bool(notifier.notify(title=title, body=body))


whole, alone = told("Disk full", "95 percent"), told("Disk full on db1", "")
print("title and body:", whole, "| a title alone:", alone, "| the plug-in was called for:", called)
with_mark = apprise.Apprise().add("json://127.0.0.1/?")
without = apprise.Apprise().add("json://127.0.0.1/")
print("json://127.0.0.1/? is taken:", with_mark, "| json://127.0.0.1/ is taken:", without)
seen = (whole, alone, called, with_mark, without)
expected = (True, False, [("Disk full", "95 percent")], False, True)
sys.exit(0 if seen == expected else "it is different now")
PYTHON
