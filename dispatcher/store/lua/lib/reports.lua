-- What a report of monitoring is to the alerts that are known: another word of one of them, or a new incident.

local schema = require('schema')
local clock = require('lib/clock')
local alerts = require('lib/alerts')
local alert_moves = require('lib/alert_moves')
local bundles = require('lib/bundles')

local M = {}

local key, field = schema.key, schema.alert
local CHANGES = { field.severity, field.summary, field.labels, field.annotations, field.link }
local OF_CHAIN = { field.chain, field.rules, field.storm_more_than, field.storm_within, field.repeat_after, field.tell_resolved }
local LATE = 120000 -- ms within which a report that fires may be older than that of its end
local OVER = { acknowledged = true, unreached = true, cancelled = true, resolved = true }

-- What is reported with the start of an older incident, though that was never heard of, is the latest one
-- itself, whose start was found to be earlier.
local function same_incident(latest, row)
  if not row.started then
    return latest.fields[field.state] ~= 'resolved' and (row.repeats or not OVER[latest.fields[field.state]])
  end
  return tonumber(row.started) <= alerts.number(latest, field.started)
end

-- The alert that a report is about, or nil, and the latest incident that it is not about, if any.
function M.find(call, row)
  local known = row.started and alerts.load(call, row.id)
  if known then
    return known
  end
  local id = redis.call('HGET', key.alert_incidents(call), row.incident)
  local latest = id and alerts.load(call, id)
  if latest and (same_incident(latest, row) or not (row.firing or row.started)) then
    return latest
  end
  return nil, latest
end

local function copy(alert, fields, names)
  for _, name in ipairs(names) do
    alerts.set(alert, name, fields[name])
  end
end

function M.new(call, row)
  local alert = alerts.new(row.id)
  for name, value in pairs(row.fields) do
    alerts.set(alert, name, value)
  end
  alerts.set(alert, field.incident, row.incident)
  alerts.set(alert, field.started, tonumber(row.started) or call.now)
  alerts.set(alert, field.received, call.now)
  alerts.set(alert, field.heard, call.now)
  alerts.set(alert, field.reports, row.firing and 1 or 0)
  return alert
end

-- What monitoring says now is what calls tell. The caller saves it.
function M.hear(call, alert, row)
  alerts.set(alert, field.heard, call.now)
  if row.firing then
    copy(alert, row.fields, CHANGES)
    alerts.add(alert, field.reports, 1)
  end
end

-- It is over, as monitoring says. Its bundle may be, too.
function M.resolve(call, alert, by, why)
  local from = alert.fields[field.state]
  if from == 'resolved' then
    return
  end
  alert_moves.move(call, alert, 'resolved', { by = by, why = why })
  bundles.member_moved(call, alert, from, { by = by })
end

local function long_quiet(call, alert, row)
  local last = 0
  for _, name in ipairs({ field.began, field.acknowledged, field.ended }) do
    last = math.max(last, alerts.number(alert, name))
  end
  return clock.went_back(call, last) > 0 or call.now - last >= tonumber(row.fields[field.repeat_after])
end

-- What fires with its old start long after it was over fires: Alertmanager says so where it had not heard of
-- Prometheus for some minutes. A report that was only late comes sooner.
local function fires_after_all(call, alert, row)
  local ended = alerts.number(alert, field.ended)
  local is_latest = redis.call('HGET', key.alert_incidents(call), row.incident) == alert.id
  return is_latest and (clock.went_back(call, ended) > 0 or call.now - ended >= LATE)
end

-- Whether a known alert rings anew. One that had no chain rings as soon as it has one.
function M.rings_again(call, alert, row)
  local state = alert.fields[field.state]
  if not (row.called and row.fields[field.chain]) then
    return false
  elseif state == 'not_called' then
    return true -- it is worse now, or the routes are others
  elseif state == 'resolved' then
    return fires_after_all(call, alert, row)
  elseif state ~= 'acknowledged' and state ~= 'unreached' then
    return false
  end
  return alert.fields[field.reason] == 'no_chain' or long_quiet(call, alert, row)
end

-- By the chain as it is now.
function M.follow_chain(call, alert, row)
  bundles.leave(call, alert)
  copy(alert, row.fields, OF_CHAIN)
end

return M
