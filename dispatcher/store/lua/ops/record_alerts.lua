-- Writes down what monitoring reported, one incident as one alert, and has ring what nobody was called for.
--
-- actor   who reported it
-- reports a JSON list: of each { id (of a new alert), incident (what its source and fingerprint are found by),
--         started (ms since the epoch, or none), firing, repeats, called (whether anybody is to be), fields
--         (of the record) }
-- bundles a JSON object: chain -> the bundle that was begun for reports of the same body, if any
-- answer  for each id, what, state and the id of its bundle, in turn. `what` is 'new', 'repeat', 'again',
--         'folded', 'resolved', 'not_called', or 'unknown' (it is over, and nobody knew of it): nothing is
--         written then, and there is no id
-- Retention: see store/alerts.py.

local schema = require('schema')
local alerts = require('lib/alerts')
local alert_moves = require('lib/alert_moves')
local reports = require('lib/reports')
local ringing = require('lib/ringing')
local counters = require('lib/counters')

local field = schema.alert

-- Those that are to ring begin together, so that those of one chain make one bundle.
local function begin_all(call, waiting)
  local chains, order = {}, {}
  for _, alert in ipairs(waiting) do
    local chain = alert.fields[field.chain]
    if not chains[chain] then
      chains[chain] = {}
      order[#order + 1] = chain
    end
    table.insert(chains[chain], alert)
  end
  for _, chain in ipairs(order) do
    ringing.begin(call, chains[chain])
  end
end

local function to_ring(call, waiting, alert)
  alert.heard_from = call.args.actor
  waiting[#waiting + 1] = alert
end

local function resolved(call, alert, latest, row)
  local by = call.args.actor
  if alert then
    reports.hear(call, alert, row)
    alerts.save(call, alert)
    reports.resolve(call, alert, by)
    return alert, 'resolved'
  elseif not row.started then
    return nil, 'unknown'
  end
  if latest then
    reports.resolve(call, latest, by, 'a newer incident of it is over')
  end
  local made = reports.new(call, row)
  alert_moves.arrive(call, made, 'resolved', { by = by, why = 'before it was reported as firing' })
  return made, 'resolved'
end

local function new(call, latest, row, waiting)
  local by = call.args.actor
  if latest then
    reports.resolve(call, latest, by, 'a newer incident of it was reported')
  end
  local made = reports.new(call, row)
  counters.add(call, 'alert.new')
  if not row.called then
    alert_moves.arrive(call, made, 'not_called', { by = by, why = 'a route says that nobody is called' })
    return made, 'not_called'
  elseif not row.fields[field.chain] then
    alert_moves.arrive(call, made, 'unreached', { by = by, reason = 'no_chain', why = 'no route leads to a chain' })
    return made, 'new'
  end
  to_ring(call, waiting, made)
  return made, 'new'
end

local function known(call, alert, row, waiting)
  reports.hear(call, alert, row)
  local again = reports.rings_again(call, alert, row)
  if again then
    reports.follow_chain(call, alert, row)
    to_ring(call, waiting, alert)
  end
  alerts.save(call, alert)
  return alert, again and 'again' or 'repeat'
end

local function record(call, row, waiting)
  local alert, latest = reports.find(call, row)
  if not row.firing then
    return resolved(call, alert, latest, row)
  elseif alert then
    return known(call, alert, row, waiting)
  end
  return new(call, latest, row, waiting)
end

-- A second report of what is to ring finds it ringing.
local function met_before(met, row)
  local before = met[row.incident]
  met[row.incident] = true
  return before
end

local function answer_of(call, id, what)
  local alert = id and alerts.load(call, id)
  if not alert then
    return '', what, 'resolved', ''
  end
  local state = alert.fields[field.state]
  if state == 'folded' and (what == 'new' or what == 'again') then
    what = 'folded'
  end
  return id, what, state, alert.fields[field.told_by] or ''
end

local function run(call)
  local found, waiting, met, answer = {}, {}, {}, {}
  local reported = cjson.decode(call.args.reports)
  call.bundles = cjson.decode(call.args.bundles)
  counters.add(call, 'alert.reports', #reported)
  for i, row in ipairs(reported) do
    if met_before(met, row) then
      begin_all(call, waiting)
      waiting, met = {}, { [row.incident] = true }
    end
    local alert, what = record(call, row, waiting)
    found[i] = { alert and alert.id, what }
  end
  begin_all(call, waiting)
  for _, each in ipairs(found) do
    for _, word in ipairs({ answer_of(call, each[1], each[2]) }) do
      answer[#answer + 1] = word
    end
  end
  return answer
end

return { run = run }
