-- Alerts that are told of by the calls of one: those that came together, or in a storm. A bundle is an alert
-- of its own; its members go where it goes, and it ends with the last of them.

local schema = require('schema')
local text = require('lib/text')
local alerts = require('lib/alerts')
local alert_moves = require('lib/alert_moves')

local M = {}

local key, field = schema.key, schema.alert
local OF_CHAIN = { field.chain, field.rules, field.storm_more_than, field.storm_within, field.tell_resolved, field.traceparent }
local RANK = schema.severity_rank

-- What it shows is its worst member.
local function show(bundle, alert)
  local worst = bundle.fields[field.severity]
  if not worst or RANK[alert.fields[field.severity]] < RANK[worst] then
    alerts.set(bundle, field.severity, alert.fields[field.severity])
    alerts.set(bundle, field.summary, alert.fields[field.summary])
  end
end

-- A bundle that rings, with nobody in it yet. Its first member names it, which may ring twice in a moment.
function M.new(call, first)
  local name = table.concat({ 'bundle', first.id, first.fields[field.version] or 0, text.int(call.now) }, ' ')
  local made = alerts.new(string.sub(redis.sha1hex(name), 1, 16))
  alerts.set(made, field.source, schema.bundle)
  alerts.set(made, field.fingerprint, made.id)
  for _, name in ipairs({ field.labels, field.annotations }) do
    alerts.set(made, name, '{}')
  end
  for _, name in ipairs({ field.started, field.received, field.heard }) do
    alerts.set(made, name, call.now)
  end
  for _, name in ipairs(OF_CHAIN) do
    alerts.set(made, name, first.fields[name])
  end
  for _, name in ipairs({ field.members, field.firing, field.folded, field.reports }) do
    alerts.set(made, name, 0)
  end
  show(made, first)
  return made
end

-- A bundle of which nobody is left that its calls would tell of is over: as the last one is.
local function settle(call, bundle, last, how)
  local fields = bundle.fields
  if alerts.number(bundle, field.firing) == 0 and fields[field.state] ~= 'resolved' then
    local why = how.why or 'none of its alerts is firing any more'
    alert_moves.move(call, bundle, 'resolved', { by = how.by, why = why, unsaid = how.unsaid })
  elseif fields[field.state] == 'ringing' and alerts.number(bundle, field.folded) == 0 then
    local to = last.fields[field.state] == 'cancelled' and 'cancelled' or 'acknowledged'
    alert_moves.move(call, bundle, to, { by = how.by, how = how.how, why = 'so is the last of its alerts' })
  else
    alerts.save(call, bundle)
  end
end

-- An alert that is not folded any more is told of by another bundle, or rings by itself. The caller moves it.
function M.leave(call, alert)
  local id = alert.fields[field.told_by]
  local bundle = id and alerts.load(call, id)
  alerts.set(alert, field.told_by, nil)
  if not bundle then
    return
  end
  redis.call('ZREM', key.alert_members(call, id), alert.id)
  alerts.add(bundle, field.members, -1)
  if alert.fields[field.state] ~= 'resolved' then
    alerts.add(bundle, field.firing, -1)
  end
  local why = 'its last alert rings again, and is told of by another call'
  settle(call, bundle, alert, { by = 'dispatcher', why = why, unsaid = true })
end

-- An alert of which no other bundle tells is folded into it. The caller moves it, and saves the bundle.
function M.join(call, bundle, alert)
  alerts.set(alert, field.told_by, bundle.id)
  redis.call('ZADD', key.alert_members(call, bundle.id), alerts.number(alert, field.received), alert.id)
  show(bundle, alert)
  alerts.add(bundle, field.members, 1)
  alerts.add(bundle, field.firing, 1)
  alerts.add(bundle, field.folded, 1)
end

-- A member went to another state by itself.
function M.member_moved(call, alert, from, how)
  local id = alert.fields[field.told_by]
  local bundle = id and alerts.load(call, id)
  if not bundle then
    return
  end
  if from == 'folded' then
    alerts.add(bundle, field.folded, -1)
  end
  if alert.fields[field.state] == 'resolved' then
    alerts.add(bundle, field.firing, -1)
  end
  settle(call, bundle, alert, how)
end

-- A bundle went to another state: its members go with it, whose own fate is not decided.
function M.take_along(call, bundle, to, how)
  how.along = true
  for _, id in ipairs(redis.call('ZRANGE', key.alert_members(call, bundle.id), 0, -1)) do
    local alert = alerts.load(call, id)
    if alert and alert.fields[field.state] == 'folded' then
      alert_moves.move(call, alert, to, how)
      alerts.add(bundle, field.folded, -1)
    end
  end
  alerts.save(call, bundle)
end

return M
