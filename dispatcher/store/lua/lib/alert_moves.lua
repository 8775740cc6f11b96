-- The one way in which an alert comes to a state: its place in the indexes, its timeline, what is told of it,
-- and that nobody is called who is not to be.

local schema = require('schema')
local text = require('lib/text')
local moves = require('lib/moves')
local alerts = require('lib/alerts')
local events = require('lib/events')
local record = require('lib/record')
local counters = require('lib/counters')
local webhooks = require('lib/webhooks')

local M = {}

local key, field = schema.key, schema.alert
local TOLD = { ringing = true, acknowledged = true, resolved = true, unreached = true, cancelled = true }
local ENDS = { resolved = true, unreached = true, cancelled = true }
local NOT_TOLD = { [field.rules] = true, [field.position] = true, [field.incident] = true }

-- Those of its jobs that wait are not dialled any more; what is being called goes to its end.
function M.cancel_jobs(call, ids, why)
  for _, id in ipairs(ids) do
    local job = record.load(call, id)
    if job and schema.waiting[job.state] then
      moves.move(call, job, 'cancelled', { actor = 'alert', why = why })
    end
  end
end

local function tell(call, alert, to)
  if TOLD[to] and webhooks.targets(call) > 0 then
    local facts = { id = alert.id }
    for name, value in pairs(alert.fields) do
      if not NOT_TOLD[name] and not string.match(name, '^[ct]%d+$') then
        facts[name] = value
      end
    end
    local id = 'msg_alert-' .. alert.id .. '-' .. alert.fields[field.version]
    webhooks.tell(call, { id = id, type = 'alert.' .. to, at = call.now, facts = cjson.encode(facts) })
  end
end

-- Nobody could be reached: somebody has to see that, wherever they look.
local function tell_account(call, alert, to)
  if to == 'unreached' then
    events.tell(call, 'alert.unreached', {
      alert = alert.id, reason = alert.fields[field.reason], chain = alert.fields[field.chain],
    })
  end
end

local function begin(call, alert)
  for _, name in ipairs({ field.ended, field.acknowledged, field.acknowledged_by, field.acknowledged_how, field.next }) do
    alerts.set(alert, name, nil)
  end
  for _, name in ipairs({ field.round, field.step, field.turn }) do
    alerts.set(alert, name, 0)
  end
  alerts.set(alert, field.position, nil)
  alerts.set(alert, field.began, call.now)
  alerts.set(alert, field.since, call.now)
end

local function acknowledge(call, alert, how)
  alerts.set(alert, field.acknowledged, call.now)
  alerts.set(alert, field.acknowledged_by, how.by)
  alerts.set(alert, field.acknowledged_how, how.how)
end

-- A bundle counts as one: its members that go along with it are neither counted nor told of.
local function count(call, alert, to, reason)
  counters.add(call, 'alert.' .. text.kind(to, reason))
  if to == 'acknowledged' then
    local since = alert.fields[field.began] or alert.fields[field.received]
    counters.took(call, 'alert.acknowledged', call.now - since)
  end
end

local function write_state(call, alert, to, how)
  alerts.set(alert, field.state, to)
  alerts.set(alert, field.reason, how.reason)
  alerts.set(alert, field.next, nil)
  if to == 'ringing' or to == 'folded' then
    begin(call, alert)
  elseif to == 'acknowledged' then
    acknowledge(call, alert, how)
  end
  alerts.set(alert, field.ended, ENDS[to] and call.now or nil)
  if to == 'resolved' and not how.unsaid and alert.fields[field.tell_resolved] and alert.fields[field.rung] then
    alerts.set(alert, field.telling, '1')
  elseif to ~= 'resolved' then
    alerts.set(alert, field.telling, nil)
  end
end

local function leave(call, alert, from)
  redis.call('ZREM', key.alerts_by_state(call, from), alert.id)
  if from == 'ringing' then
    redis.call('ZREM', key.alerts_due(call), alert.id)
    local chain = alert.fields[field.chain]
    if redis.call('HGET', key.alert_storms(call), chain) == alert.id then
      redis.call('HDEL', key.alert_storms(call), chain)
    end
  end
end

-- `how`: by (who), why (in words), reason (in one word), how (it was acknowledged), along (with its bundle),
-- unsaid (nobody is called to be told of it)
function M.move(call, alert, to, how)
  local from = alert.fields[field.state]
  if from and not schema.alert_transitions[from][to] then
    error('alert ' .. alert.id .. ' cannot go from ' .. from .. ' to ' .. to)
  end
  if from then
    leave(call, alert, from)
  end
  write_state(call, alert, to, how)
  redis.call('ZADD', key.alerts_by_state(call, to), alerts.number(alert, field.received), alert.id)
  alerts.note(call, alert, how.by, to .. (how.why and ': ' .. how.why or ''))
  alerts.save(call, alert)
  if to == 'ringing' or alert.fields[field.telling] then
    alerts.look_at(call, alert, call.now)
  end
  if from == 'ringing' or from == 'resolved' then -- nobody is told any more that what rings again is over
    M.cancel_jobs(call, redis.call('SMEMBERS', key.alert_jobs(call, alert.id)), 'the alert is ' .. to)
  end
  if not how.along then
    count(call, alert, to, how.reason)
    tell(call, alert, to)
    tell_account(call, alert, to)
  end
end

-- A new alert stands among the others.
function M.arrive(call, alert, to, how)
  redis.call('ZADD', key.alerts(call), alerts.number(alert, field.received), alert.id)
  if alert.fields[field.incident] then
    redis.call('HSET', key.alert_incidents(call), alert.fields[field.incident], alert.id)
  end
  M.move(call, alert, to, how)
end

return M
