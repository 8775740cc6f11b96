-- What one call of an operation knows. Made anew for each call, and handed to every function: what an operation
-- reads does not stay in the library, whose variables outlive the call.
--
--   root     the namespace, such as {vd}; own: what the keys of the account begin with; names: of all keys
--            that are always the same
--   args     the arguments, by name; all are text
--   exact    now in ms since the epoch with fractions, now: without
-- Modules keep what they have read for this call here, under their own names: config, holds, pace, spending,
-- refused_languages, not_called and usual (of tariffs), credits, prices, connections, turns, minute; told: the
-- account events of this operation; joined: lines that jobs came to (lib/lines.lua). And what is written at the end,
-- where there is anything (library.py): entries, left (lines that jobs went from), pages, hung_up (lib/numbers.lua),
-- costs, campaigns, sums, hashes and clients.

local schema = require('schema')
local text = require('lib/text')

local M = {}

local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000
end

local latest = {}

-- What stands in the names of an account's keys, and the names of those that are always the same. Seldom another
-- account's than in the call before.
local function space_of(root, account)
  if latest.root ~= root or latest.account ~= account then
    local own = root .. ':account:' .. account
    latest = { root = root, account = account, own = own, names = schema.key_names(root, own) }
  end
  return latest
end

function M.new(keys, args)
  local named = text.pairs_of(args)
  local space = space_of(keys[1], named.account or schema.default_account)
  local exact = tonumber(named.now) or clock()
  return {
    root = space.root,
    own = space.own,
    names = space.names,
    args = named,
    exact = exact,
    now = math.floor(exact),
  }
end

return M
