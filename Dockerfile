FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1
WORKDIR /app

# Dependencies first: this layer is built again only when they change. The package is installed in place,
# because config and workers run from here too and are no part of its wheel.
COPY pyproject.toml README.md LICENSE ./
COPY requirements/server.txt requirements/
COPY dispatcher/__init__.py dispatcher/
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
        --require-hashes -r requirements/server.txt && \
    pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
        --no-deps --no-build-isolation -e .

COPY dispatcher dispatcher
COPY config config
COPY workers workers

RUN useradd --system --uid 10001 --no-create-home dispatcher && install -d -o dispatcher /data
USER dispatcher

STOPSIGNAL SIGTERM
ENTRYPOINT ["voice-dispatcher"]
CMD ["worker"]
