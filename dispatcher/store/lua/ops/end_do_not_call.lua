-- Forgets entries of the do-not-call list that have ended, and a while ago: a clock that is ahead ends an entry
-- only until it is set right.
--
-- kept    ms after their end
-- limit   of how many numbers at most
-- answer  { how many numbers were looked at, how many entries are gone }

local schema = require('schema')
local do_not_call = require('lib/do_not_call')

local function drop_ended(call, hash, before)
  local found, gone = do_not_call.read(call, hash) or { entries = {} }, 0
  for scope, entry in pairs(found.entries) do
    if entry.ends and entry.ends <= before then
      found.entries[scope] = nil
      gone = gone + 1
    end
  end
  do_not_call.write(call, hash, found)
  return gone
end

local function run(call)
  local ends, gone, before = schema.key.do_not_call_ends(call), 0, call.now - call.args.kept
  local due = redis.call('ZRANGEBYSCORE', ends, '-inf', before, 'LIMIT', 0, call.args.limit)
  for _, hash in ipairs(due) do
    gone = gone + drop_ended(call, hash, before)
  end
  return { #due, gone }
end

return { run = run, flags = { 'allow-oom' } }
