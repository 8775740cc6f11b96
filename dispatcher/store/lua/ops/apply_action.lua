-- Does what a person asked for to one job, and writes it down.
--
-- action, id, actor, note
-- options  JSON (see lib/actions.lua)
-- answer   {'' or why it is refused, state before, reason before}

local text = require('lib/text')
local audit = require('lib/audit')
local record = require('lib/record')
local actions = require('lib/actions')

local function run(call)
  local args = call.args
  local action, job, options = actions[args.action], record.load(call, args.id), cjson.decode(args.options)
  if not job then
    return { 'gone', '', '' }
  end
  local state, reason = job.state, job.reason
  local refusal = action.refuses(call, job, options)
  if not refusal then
    action.perform(call, job, options, args.actor, args.note)
    audit.write(call, args.actor, args.action, 'job:' .. job.id, args.note,
      { before = text.kind(state, reason), priority = options.priority })
  end
  return { refusal or '', state, reason }
end

return { run = run }
