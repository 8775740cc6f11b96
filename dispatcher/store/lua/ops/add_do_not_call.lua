-- Puts numbers on the do-not-call list. An entry that is there already is only ever made longer.
--
-- actor
-- key      40 hex digits: what hashes are keyed with, where there is no key yet
-- entries  a JSON list of { to (digits) or hash, keep (whether the digits are kept), scope ('': all jobs), reason,
--          ends (ms since the epoch, or +ms from now; absent: never) }
-- target, note, facts (a JSON object)  what the audit log says, where anything was changed
-- answer   { for each 'new', 'longer' (it was there, for less long) or 'known', the ids of jobs that may be calling
--          these numbers now }

local schema = require('schema')
local do_not_call_news = require('lib/do_not_call_news')
local same_line = require('lib/same_line')
local do_not_call = require('lib/do_not_call')

local key = schema.key

local function moment(call, value)
  if not value then
    return nil
  end
  local from_now = string.match(value, '^%+(.*)')
  return from_now and call.now + tonumber(from_now) or tonumber(value)
end

-- Whether an entry lasts at least until then; nil: for good.
local function lasts(entry, ends)
  return not entry.ends or (ends and entry.ends >= ends)
end

local function put(call, row)
  local hash, ends = row.hash or do_not_call.hash(call, row.to), moment(call, row.ends)
  local found = do_not_call.read(call, hash) or { entries = {} }
  local before, to = found.entries[row.scope], found.to
  before = before and not do_not_call.has_ended(call, before) and before
  found.to = to or (row.keep and row.to) or nil
  local known = before and lasts(before, ends)
  if known and found.to == to then
    return 'known'
  elseif not known then
    found.entries[row.scope] = { reason = row.reason, by = call.args.actor, at = call.now, ends = ends }
  end
  do_not_call.write(call, hash, found)
  return known and 'known' or before and 'longer' or 'new'
end

-- What was claimed before it was on the list.
local function calling(call, digits)
  local id = digits and redis.call('GET', key.calling(call, digits))
  local state = id and redis.call('HGET', key.job(call, id), schema.field.state)
  return state and schema.calling[state] and id
end

local function run(call)
  redis.call('HSETNX', key.do_not_call(call), schema.do_not_call_key, call.args.key)
  local answers, ids, changed = {}, {}, 0
  for i, row in ipairs(cjson.decode(call.args.entries)) do
    answers[i] = put(call, row)
    changed = changed + (answers[i] == 'known' and 0 or 1)
    ids[#ids + 1] = calling(call, row.to) or calling(call, row.to and same_line.other(row.to)) or nil
  end
  if changed > 0 then
    do_not_call_news.tell(call, 'dnc.add', 'do_not_call.added', changed)
  end
  return { answers, ids }
end

return { run = run }
