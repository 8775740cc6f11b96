-- Takes numbers off the do-not-call list.
--
-- actor
-- entries  a JSON list of { to (digits) or hash, scope ('': that of all jobs; absent: all that the number has) }
-- target, note, facts (a JSON object)  what the audit log says, where anything was removed
-- answer   for each how many entries are gone that had not ended

local schema = require('schema')
local do_not_call_news = require('lib/do_not_call_news')
local do_not_call = require('lib/do_not_call')

local function drop(call, row, hash)
  local gone = 0
  local found = do_not_call.read(call, hash)
  for scope, entry in pairs(found and found.entries or {}) do
    if not row.scope or row.scope == scope then
      gone = gone + (do_not_call.has_ended(call, entry) and 0 or 1)
      found.entries[scope] = nil
    end
  end
  if found then
    do_not_call.write(call, hash, found)
  end
  return gone
end

local function drop_all(call, row)
  local gone = 0
  for _, hash in ipairs(row.hash and { row.hash } or do_not_call.hashes(call, row.to)) do
    gone = gone + drop(call, row, hash)
  end
  return gone
end

local function run(call)
  local answers, removed = {}, 0
  if redis.call('HLEN', schema.key.do_not_call(call)) == 0 then
    return answers
  end
  for i, row in ipairs(cjson.decode(call.args.entries)) do
    answers[i] = drop_all(call, row)
    removed = removed + answers[i]
  end
  if removed > 0 then
    do_not_call_news.tell(call, 'dnc.remove', 'do_not_call.removed', removed)
  end
  return answers
end

return { run = run, flags = { 'allow-oom' } } -- who makes room must be able to
