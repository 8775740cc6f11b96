-- What one call of an operation knows. Made anew for each call, and handed to every function: nothing of
-- it stays in the library, whose variables outlive the call.
--
--   root     the namespace, such as {vd}; account: whose keys the operation works with
--   args     the arguments, by name; all are text
--   exact    now in ms since the epoch with fractions, now: without
-- Modules keep what they have read for this call here, under their own names: config and its numbers,
-- holds, pace, spending, refused_languages, credits, connections, turn, heads; told: the account events of this
-- operation; campaigns: those of jobs that it has written; left, joined: lines that jobs went from, and came to (lib/lines.lua); and what
-- is written at the end: sums, hashes, entries, pages and thinned, see lib/sums.lua, lib/hashes.lua, lib/entries.lua
-- and lib/pages.lua.

local schema = require('schema')
local text = require('lib/text')

local M = {}

local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000
end

function M.new(keys, args)
  local named = text.pairs_of(args)
  local exact = tonumber(named.now) or clock()
  return {
    root = keys[1],
    account = named.account or schema.default_account,
    args = named,
    exact = exact,
    now = math.floor(exact),
    numbers = {},
    sums = {},
    entries = {},
    pages = {},
    thinned = {},
    hashes = {},
    left = {},
    joined = {},
    campaigns = {},
    refused_languages = {},
  }
end

return M
