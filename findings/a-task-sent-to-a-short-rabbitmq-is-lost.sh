#!/usr/bin/env bash
# celery 5.7.0, kombu 5.7.0, amqp 5.4.2 with RabbitMQ 3.10.8 (Debian 12): a RabbitMQ that is short of memory or disk space
# takes a task without a word, and throws it away when the sender ends.
#
# In an alarm RabbitMQ takes no messages. One expects that `send_task` then waits, or raises, as it does where RabbitMQ is
# away. But RabbitMQ answers nothing to a message, and merely stops to read the connection: `send_task` returns an id at
# once. If the sender goes on to run, the message arrives when the alarm is over. If it ends (a command of cron, a
# restart of the service), its system closes the connection while RabbitMQ's word "blocked" lies in it unread, which
# makes a reset of the close: what RabbitMQ had not read is gone. No log tells of it, and what watches the queue sees
# it short. With `confirm_publish` `send_task` waits for as long as the alarm lasts; `confirm_timeout` changes nothing, as
# the channel is closed then, for which it waits as well. And there the word has been read: a message whose sender was
# killed meanwhile (a request that took too long) is done later, when somebody may have sent it again.
# So `confirm_publish` with `read_timeout` and `write_timeout` (options of the transport), which end with an error, and
# the task sent again under one key, since it may arrive all the same.
#
# Seen: a task sent before the alarm arrives; in the alarm
#   by a process that ends             an id at once, and it never arrives
#   by one that runs on                an id at once, arrives after the alarm
#   confirm_publish, killed after 8 s  nothing was answered, arrives after the alarm
#   and with confirm_timeout 1 s       the same
#   and with read_timeout 1 s          an error after 3 s, arrives after the alarm
#
# Needs RabbitMQ (rabbitmq-server, rabbitmqctl, epmd); says so and exits 0 where there is none.
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
export PATH="/usr/lib/rabbitmq/bin:$PATH"
for each in rabbitmq-server rabbitmqctl epmd; do
    if ! command -v "$each" >/dev/null; then
        echo "not tried: there is no $each here (Debian: rabbitmq-server)"
        exit 0
    fi
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check celery==5.7.0 kombu==5.7.0 amqp==5.4.2

cat > "$folder/sender.py" <<'PYTHON'
"""Sends one task: URL, whom to call, options of the transport, options of send_task, seconds to run on after it."""
import json
import sys
import time

from celery import Celery

url, whom, transport, options, run_on = sys.argv[1:]
app = Celery("sender", broker=url)
app.conf.update(task_ignore_result=True, broker_transport_options=json.loads(transport))
try:
    app.send_task("call", (whom,), queue="calls", retry=False, **json.loads(options))
    print("sent", flush=True)
except Exception as error:
    print(f"raised {type(error).__name__}", flush=True)
time.sleep(float(run_on))
PYTHON

"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from kombu import Connection

folder = Path(sys.argv[1])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


port, epmd_port = free_port(), free_port()
node = f"n{secrets.token_hex(4)}@localhost"
url = f"amqp://guest:guest@127.0.0.1:{port}//"
(folder / "plugins").write_text("[].\n")
(folder / "rabbitmq.conf").write_text("disk_free_limit.absolute = 1MB\nvm_memory_high_watermark.relative = 0.9\n")
variables = {
    "PATH": os.environ["PATH"],
    "HOME": str(folder),
    "LC_ALL": "C.UTF-8",
    "ERL_EPMD_PORT": str(epmd_port),
    "ERL_EPMD_ADDRESS": "127.0.0.1",
    "RABBITMQ_NODENAME": node,
    "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
    "RABBITMQ_NODE_PORT": str(port),
    "RABBITMQ_DIST_PORT": str(free_port()),
    "RABBITMQ_MNESIA_BASE": str(folder / "data"),
    "RABBITMQ_LOG_BASE": str(folder / "logs"),
    "RABBITMQ_LOGS": "-",
    "RABBITMQ_CONF_ENV_FILE": str(folder / "none.conf"),
    "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
    "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
}


def until(condition, what, within=120):
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"it did not come about: {what}")
        time.sleep(0.2)


def answers():
    try:
        with Connection(url, connect_timeout=2) as connection:
            connection.connect()
            return True
    except OSError:
        return False


def start(stack, argv, **options):
    process = subprocess.Popen(
        argv, cwd=folder, env=variables, stdin=subprocess.DEVNULL, start_new_session=True, text=True, **options
    )

    def end():
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    stack.callback(end)
    return process


def alarm(on):
    mark = "0.000001" if on else "0.9"
    argv = ["rabbitmqctl", "-q", "-n", node, "set_vm_memory_high_watermark", mark]
    subprocess.run(argv, cwd=folder, env=variables, check=True, stdout=subprocess.DEVNULL)


def send(stack, whom, transport=(), options=(), run_on=0):
    """Return what a sender says within eight seconds; one that says nothing is killed then."""
    argv = [sys.executable, folder / "sender.py", url, whom, json.dumps(dict(transport)), json.dumps(dict(options))]
    sender = start(stack, [*argv, str(run_on)], stdout=subprocess.PIPE)
    began = time.monotonic()
    os.set_blocking(sender.stdout.fileno(), False)
    while time.monotonic() < began + 8:
        if said := sender.stdout.readline().strip():
            if not run_on:
                sender.wait(30)
            return said
        time.sleep(0.1)
    sender.kill()
    sender.wait()
    return "nothing"


def arrived():
    """Return whom the tasks in the queue are to call; takes them."""
    found = []
    with Connection(url) as connection, connection.SimpleQueue("calls") as queue:
        while True:
            try:
                message = queue.get(timeout=3)
            except queue.Empty:
                return found
            found.append(message.payload[0][0])
            message.ack()


with ExitStack() as stack:
    with open(folder / "log", "wb") as log:
        start(stack, ["epmd", "-address", "127.0.0.1", "-port", str(epmd_port)], stdout=log, stderr=log)
        start(stack, ["rabbitmq-server"], stdout=log, stderr=log)
    until(answers, "RabbitMQ answers")
    said = {"before": send(stack, "before")}
    alarm(True)
    time.sleep(2)
    confirm = {"confirm_publish": True}
    said["ends"] = send(stack, "ends")
    said["runs on"] = send(stack, "runs on", run_on=120)
    said["confirm"] = send(stack, "confirm", confirm)
    said["confirm_timeout"] = send(stack, "confirm_timeout", confirm, {"confirm_timeout": 1})
    said["read_timeout"] = send(stack, "read_timeout", confirm | {"read_timeout": 1, "write_timeout": 1})
    alarm(False)
    time.sleep(3)
    came = arrived()

for name, words in said.items():
    print(f"{name:<16} {words:<24} {'arrived' if name in came else 'never arrived'}")
as_seen = said == {
    "before": "sent",
    "ends": "sent",
    "runs on": "sent",
    "confirm": "nothing",
    "confirm_timeout": "nothing",
    "read_timeout": "raised OperationalError",
} and {*said} - {*came} == {"ends"}
sys.exit(0 if as_seen else "it is different now")
PYTHON
