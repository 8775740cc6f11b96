-- An alert's record. A loaded alert has its `fields`; what was set since is written by `save`.

local schema = require('schema')
local text = require('lib/text')

local M = {}

local key, field = schema.key, schema.alert

function M.new(id)
  return { id = id, fields = {}, changed = {} }
end

-- The alert, or nil where there is none.
function M.load(call, id)
  local fields = text.pairs_of(redis.call('HGETALL', key.alert(call, id)))
  return fields[field.state] and { id = id, fields = fields, changed = {} } or nil
end

function M.number(alert, name)
  return tonumber(alert.fields[name] or nil) or 0
end

-- nil removes it.
function M.set(alert, name, value)
  if type(value) == 'number' then
    value = text.int(value)
  end
  if alert.fields[name] ~= value then
    alert.fields[name] = value
    alert.changed[name] = true
  end
end

function M.add(alert, name, by)
  M.set(alert, name, M.number(alert, name) + by)
end

-- The next of a list of which the latest are kept: `c1`, `c2`, … Answers its number.
local function append(alert, count, mark, line)
  local n = M.number(alert, count) + 1
  M.set(alert, count, n)
  M.set(alert, mark .. text.int(n), line)
  M.set(alert, mark .. text.int(n - schema.alert_history), nil)
  return n
end

function M.note(call, alert, who, what)
  append(alert, field.lines, 't', text.int(call.now) .. ' ' .. text.one_word(who) .. ' ' .. what)
end

-- A call, at its place or else where the alert stands; or why there is none.
function M.add_call(call, alert, planned, job, skipped)
  local fields = alert.fields
  local place = {
    text.int(call.now), planned.round or fields[field.round], planned.step or fields[field.step],
    fields[field.turn], planned.contact, job or '-',
  }
  if skipped then
    place[#place + 1] = skipped
  end
  return append(alert, field.calls, 'c', table.concat(place, ' '))
end

-- Who decides what follows has to look anew.
function M.save(call, alert)
  local set, gone = {}, {}
  M.add(alert, field.version, 1)
  for name in pairs(alert.changed) do
    if alert.fields[name] then
      set[#set + 1] = name
      set[#set + 1] = alert.fields[name]
    else
      gone[#gone + 1] = name
    end
  end
  redis.call('HSET', key.alert(call, alert.id), unpack(set))
  if gone[1] then
    redis.call('HDEL', key.alert(call, alert.id), unpack(gone))
  end
  alert.changed = {}
end

-- It is looked at in so many ms at the latest.
function M.look_at(call, alert, at)
  redis.call('ZADD', key.alerts_due(call), math.min(at, call.now + schema.alert_looked_at), alert.id)
end

return M
