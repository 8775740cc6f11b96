"""The Lua library: its modules put together, under a name that says what it is.

Modules are files that require each other; operations (`lua/ops`) are registered as functions, one
each. The names carry the schema and a hash of the text, since a server knows every name once:
libraries of several releases stand side by side, and each process calls its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from dispatcher.store.lua_schema import lua_schema
from dispatcher.store.schema import SCHEMA

_FOLDER = files("dispatcher.store") / "lua"
PREFIX = "voice_dispatcher_"
"""What the names of all our libraries begin with."""

_ALWAYS = ("lib/call", "lib/guard")
"""The modules of which every operation makes use."""
_READS = re.compile(r"'no-writes'|writes = false")

_REQUIRE = """
local modules, loaded = {}, {}

local function require(name)
  if not loaded[name] then
    loaded[name] = modules[name]()
  end
  return loaded[name]
end
"""
_REGISTER = """
local new_call, refuse = require('lib/call').new, require('lib/guard').refuse
local put_together = { -- in this order: what a call keeps until its end, and who writes it
  { 'entries', require('lib/entries').write }, { 'left', require('lib/lines').tidy },
  { 'pages', require('lib/indexing').write }, { 'hung_up', require('lib/numbers').write },
  { 'costs', require('lib/costs').write }, { 'campaigns', require('lib/campaigns').write },
  { 'sums', require('lib/sums').write }, { 'hashes', require('lib/hashes').write },
  { 'clients', require('lib/clients').write },
}

-- What was put together is written where the operation failed, too, as is what it wrote at once.
local function finish(call, done, answer)
  for i = 1, #put_together do
    local each = put_together[i]
    if call[each[1]] then
      each[2](call)
    end
  end
  if not done then
    error(type(answer) == 'table' and answer or { err = answer }) -- Redis' pcall makes a text of it
  end
  return answer
end

local function register(name, operation)
  local run, flags = operation.run, operation.flags or {}
  local writes = operation.writes ~= false and flags[1] ~= 'no-writes'
  redis.register_function({
    function_name = name,
    flags = flags,
    callback = function(keys, args)
      local call = new_call(keys, args)
      local refused = not operation.guards_itself and refuse(call, writes)
      if refused then
        return refused
      end
      return finish(call, pcall(run, call))
    end,
  })
end
"""


@dataclass(frozen=True, slots=True)
class Library:
    """What a server loads: a name, the text, and the suffix of the functions' names.

    `commands` are what each operation may need the right to; `reading` are those that only read.
    """

    name: str
    text: str
    suffix: str
    commands: Mapping[str, frozenset[str]]
    reading: frozenset[str]

    def function(self, operation: str) -> str:
        """Return the name of an operation's function, such as that of `claim`."""
        return f"vd_{operation}_{self.suffix}"

    def commands_of(self, operations: Iterable[str]) -> frozenset[str]:
        """Return the commands without which one of these would stop half-way, which those that
        only read cannot.
        """
        return frozenset().union(*(self.commands[each] for each in {*operations} - self.reading))

    def all_commands(self) -> frozenset[str]:
        """Return the commands that one must be allowed who uses all operations."""
        return frozenset().union(*self.commands.values())


@cache
def library() -> Library:
    """Return the library of this release."""
    return build(modules(), operations())


def build(sources: dict[str, str], names: list[str]) -> Library:
    """Return the library of these modules, whose operations are these."""
    body = "".join([_REQUIRE, *map(_module, sources, sources.values()), _REGISTER])
    suffix = hashlib.sha256(body.encode()).hexdigest()[:8]
    calls = (f"register('vd_{name}_{suffix}', require('ops/{name}'))\n" for name in names)
    name = f"{PREFIX}{SCHEMA}_{suffix}"
    text = "".join([f"#!lua name={name}\n", body, *calls])
    commands = {each: _commands(sources, each) for each in names}
    reading = frozenset(each for each in names if _READS.search(sources[f"ops/{each}"]))
    return Library(name, text, suffix, commands, reading)


@cache
def modules() -> dict[str, str]:
    """Return the text of each module by the name that it is required by."""
    found = {"schema": lua_schema()}
    for folder in ("lib", "ops"):
        for file in sorted((_FOLDER / folder).iterdir(), key=lambda file: file.name):
            if file.name.endswith(".lua"):
                found[f"{folder}/{file.name[:-4]}"] = file.read_text(encoding="utf-8")
    return found


def operations() -> list[str]:
    """Return the names of the operations."""
    return [name.removeprefix("ops/") for name in modules() if name.startswith("ops/")]


def _commands(sources: Mapping[str, str], operation: str) -> frozenset[str]:
    reached: set[str] = set()
    for name in (f"ops/{operation}", *_ALWAYS):
        _reach(sources, name, reached)
    text = "".join(sources[name] for name in reached)
    return frozenset(re.findall(r"redis\.call\('([A-Z]+)'", text))


def _reach(sources: Mapping[str, str], name: str, reached: set[str]) -> None:
    """Add a module to those that are reached, and all that it requires."""
    if name not in reached:
        reached.add(name)
        for other in re.findall(r"require\('([^']+)'\)", sources[name]):
            _reach(sources, other, reached)


def _module(name: str, source: str) -> str:
    return f"\nmodules['{name}'] = function()\n{source}\nend\n"
