# One image for all processes: `voice-dispatcher worker`, `beat`, `gateway`, `flower` and every other command.
# docs/how-to/docker.md says how it is built, for several processors and without Docker, and tested.
ARG BASE=python:3.12-slim

FROM ${BASE} AS build
WORKDIR /app
# Dependencies first: this layer is built again only when they change. The package is installed in place,
# because config and workers run from here too and are no part of its wheel.
COPY pyproject.toml README.md LICENSE ./
COPY requirements/server.txt requirements/
COPY dispatcher/__init__.py dispatcher/
# The secret `ca` is the certificate of a proxy that stands between here and the package index, if one does.
RUN --mount=type=secret,id=ca if [ -e /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi && \
    python3 -m venv /venv && \
    /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/server.txt && \
    /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation -e . && \
    /venv/bin/pip uninstall --yes setuptools pip
COPY dispatcher dispatcher
COPY config config
COPY workers workers
# The root is read-only when it runs: what is not compiled here would be compiled at each start.
RUN /venv/bin/python -m compileall -q dispatcher config workers

FROM ${BASE}
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN groupadd --gid 10001 dispatcher && \
    useradd --uid 10001 --gid dispatcher --no-create-home dispatcher && \
    install -d -o dispatcher -g dispatcher /data
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /tmp
USER 10001:10001

STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["voice-dispatcher", "health"]
ENTRYPOINT ["voice-dispatcher"]
CMD ["worker"]
