-- A person has an alert, or stops its calls. What waits to be dialled for it is cancelled; a call that is
-- under way goes to its end. The members of a bundle that nobody has by themselves go with it.
--
-- id, actor, note
-- state   acknowledged or cancelled
-- how     it was acknowledged, if it was
-- answer  the state it was in, and 1 if something was done; '' where there is no such alert

local schema = require('schema')
local audit = require('lib/audit')
local alerts = require('lib/alerts')
local alert_moves = require('lib/alert_moves')
local bundles = require('lib/bundles')

local field = schema.alert
local WORDS = { acknowledged = 'alert.acknowledge', cancelled = 'alert.cancel' }

local function run(call)
  local args, alert = call.args, alerts.load(call, call.args.id)
  if not alert then
    return { '', 0 }
  end
  local from = alert.fields[field.state]
  if not schema.alert_transitions[from][args.state] then
    return { from, 0 }
  end
  local how = { by = args.actor, how = args.how, why = args.note ~= '' and args.note or nil }
  alert_moves.move(call, alert, args.state, how)
  bundles.take_along(call, alert, args.state, how)
  bundles.member_moved(call, alert, from, { by = args.actor, how = args.how })
  audit.write(call, args.actor, WORDS[args.state], 'alert:' .. alert.id, args.note, { before = from, how = args.how })
  return { from, 1 }
end

return { run = run, flags = { 'allow-oom' } }
