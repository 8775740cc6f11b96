-- Removes an alert that is over, or of which nobody has heard for long, and everything that points to it.
--
-- id
-- before  ms since the epoch: only if it ended, or was heard of last, before
-- answer  1 if it is gone

local schema = require('schema')
local alerts = require('lib/alerts')

local key, field = schema.key, schema.alert

local function kept(alert, before)
  local fields = alert.fields
  local state = fields[field.state]
  local last = alerts.number(alert, fields[field.ended] and field.ended or field.heard)
  return state == 'ringing' or state == 'folded' or last >= before
end

-- A bundle and its members do not know of each other any more.
local function part(call, alert)
  for _, id in ipairs(redis.call('ZRANGE', key.alert_members(call, alert.id), 0, -1)) do
    redis.call('HDEL', key.alert(call, id), field.told_by)
  end
  local id = alert.fields[field.told_by]
  local bundle = id and alerts.load(call, id)
  if bundle then
    redis.call('ZREM', key.alert_members(call, id), alert.id)
    alerts.add(bundle, field.members, -1)
    if alert.fields[field.state] ~= 'resolved' then
      alerts.add(bundle, field.firing, -1)
    end
    alerts.save(call, bundle)
  end
end

local function forget(call, alert)
  local id, incident = alert.id, alert.fields[field.incident]
  part(call, alert)
  for _, index in ipairs({ key.alerts(call), key.alerts_by_state(call, alert.fields[field.state]), key.alerts_due(call) }) do
    redis.call('ZREM', index, id)
  end
  if incident and redis.call('HGET', key.alert_incidents(call), incident) == id then
    redis.call('HDEL', key.alert_incidents(call), incident)
  end
  if alert.fields[field.chain] then
    redis.call('ZREM', key.alert_rings(call, alert.fields[field.chain]), id)
  end
  redis.call('DEL', key.alert(call, id), key.alert_jobs(call, id), key.alert_members(call, id))
end

local function run(call)
  local alert = alerts.load(call, call.args.id)
  if not alert or kept(alert, tonumber(call.args.before)) then
    return 0
  end
  forget(call, alert)
  return 1
end

return { run = run, flags = { 'allow-oom' } }
