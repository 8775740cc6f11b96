-- Writes what was decided of an alert's chain: where it stands, whom it calls, and when it is looked at next.
-- Nothing is written where the alert has changed since the decision was made.
--
-- id, version
-- round, step, turn, position
-- calls   a JSON list, each { number, contact, round and step (or none: as above), and row (of the job, see
--         lib/intake.lua) or skipped (why not) }
-- cancel  a JSON list: ids of its jobs that are not to be dialled any more
-- state, reason, by, how   what the alert comes to, if anything
-- next    ms since the epoch, or none: when it is looked at without news
-- lines   a JSON list: what the timeline says of it
-- answer  1, or 0: it has changed

local schema = require('schema')
local text = require('lib/text')
local intake = require('lib/intake')
local alerts = require('lib/alerts')
local alert_moves = require('lib/alert_moves')
local bundles = require('lib/bundles')

local key, field = schema.key, schema.alert
local ACTOR = 'alert'

-- Rather a call in another language than none.
local function write(call, row)
  local answer = intake.write(call, row, ACTOR)
  if string.match(answer, '^language:') and row.fields[schema.field.language] then
    row.fields[schema.field.language] = nil
    return intake.write(call, row, ACTOR)
  end
  return answer
end

-- Whether there is a job that makes it.
local function add_call(call, alert, planned)
  if planned.number ~= alerts.number(alert, field.calls) + 1 then
    error('call ' .. text.int(planned.number) .. ' of alert ' .. alert.id .. ' is not its next')
  end
  local row, skipped = planned.row, planned.skipped
  if row then
    row.fields[schema.field.alert] = alert.id
    local answer = write(call, row)
    skipped = answer ~= 'new' and answer or nil
    if not skipped then
      redis.call('SADD', key.alert_jobs(call, alert.id), row.id)
    end
  end
  alerts.add_call(call, alert, planned, not skipped and row.id or nil, skipped)
  return not skipped
end

-- Nobody waits for calls that were not made.
local function add_calls(call, alert, planned)
  local made = #planned == 0
  for _, each in ipairs(planned) do
    made = add_call(call, alert, each) or made
  end
  return made
end

local function take_place(call, alert)
  local moved = false
  for _, name in ipairs({ field.round, field.step, field.turn }) do
    moved = moved or alert.fields[name] ~= call.args[name]
    alerts.set(alert, name, call.args[name])
  end
  if moved then
    alerts.set(alert, field.since, call.now)
  end
  alerts.set(alert, field.position, call.args.position)
end

local function look_next(call, alert, made)
  local at = made and (tonumber(call.args.next) or call.now + schema.alert_looked_at) or call.now
  alerts.set(alert, field.next, at)
  alerts.look_at(call, alert, at)
end

local function move(call, alert)
  local args = call.args
  local how = { by = args.by or 'dispatcher', how = args.how, reason = args.reason }
  local from = alert.fields[field.state]
  alert_moves.move(call, alert, args.state, how)
  bundles.take_along(call, alert, args.state, how)
  bundles.member_moved(call, alert, from, how)
end

local function run(call)
  local args, alert = call.args, alerts.load(call, call.args.id)
  local fields = alert and alert.fields
  if not alert or fields[field.version] ~= args.version then
    return 0
  elseif fields[field.state] ~= 'ringing' and not fields[field.telling] then
    error('alert ' .. alert.id .. ' is ' .. fields[field.state] .. ': its chain is not under way')
  end
  take_place(call, alert)
  for _, line in ipairs(cjson.decode(args.lines)) do
    alerts.note(call, alert, 'dispatcher', line)
  end
  alert_moves.cancel_jobs(call, cjson.decode(args.cancel), 'the chain goes on without it')
  local made = add_calls(call, alert, cjson.decode(args.calls))
  if fields[field.telling] then
    alerts.set(alert, field.telling, nil)
    redis.call('ZREM', key.alerts_due(call), alert.id)
  elseif not args.state then
    look_next(call, alert, made)
  end
  alerts.save(call, alert)
  if args.state then
    move(call, alert)
  end
  return 1
end

return { run = run }
