#!/usr/bin/env bash
# kombu connects with amqps:// to whoever has a certificate of a trusted authority, for any host.
#
# py-amqp verifies the host name only if it is given one (`server_hostname`), and kombu gives it the
# URL's only where the options of TLS hold that key with None. So with the usual options (`ssl=True`,
# or a dict with ca_certs and cert_reqs=CERT_REQUIRED), the certificate of another host passes.
#
# Here: a server on 127.0.0.1 with a certificate for other.example.org, of an authority that the
# client trusts. What is measured is whether the TLS handshake is completed.
#
# Versions: kombu 5.7.0, amqp 5.4.2, trustme 1.2.1; Python 3.11.
#
# Output (exits 0 while that is so, 1 when it has changed):
#   ca_certs, cert_reqs: handshake completed
#   the same and server_hostname=None: CERTIFICATE_VERIFY_FAILED
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check kombu==5.7.0 amqp==5.4.2 trustme==1.2.1
cat >"$folder/show.py" <<'PYTHON'
import socket
import ssl
import sys
import threading

import kombu
import trustme

authority = trustme.CA()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
authority.issue_cert("other.example.org").configure_cert(context)
authority.cert_pem.write_to_path(f"{sys.argv[1]}/ca.pem")
listener = socket.create_server(("127.0.0.1", 0))


def serve(seen):
    while True:
        connection, _ = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as tls:
                if tls.recv(8).startswith(b"AMQP"):  # the first words of the protocol
                    seen.append("handshake completed")
        except OSError:  # refused by the client
            pass


seen = []
threading.Thread(target=serve, args=(seen,), daemon=True).start()


def connect(**more):
    seen.clear()
    failed = ""
    options = {"ca_certs": f"{sys.argv[1]}/ca.pem", "cert_reqs": ssl.CERT_REQUIRED, **more}
    url = f"amqps://guest:guest@127.0.0.1:{listener.getsockname()[1]}//"
    try:
        kombu.Connection(url, ssl=options, connect_timeout=5).connect()
    except Exception as error:
        failed = "CERTIFICATE_VERIFY_FAILED" if "CERTIFICATE_VERIFY_FAILED" in str(error) else ""
    return seen[0] if seen else failed


with_name, usual = connect(server_hostname=None), connect()
print(f"ca_certs, cert_reqs: {usual}")
print(f"the same and server_hostname=None: {with_name}")
sys.exit((usual, with_name) != ("handshake completed", "CERTIFICATE_VERIFY_FAILED"))
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
