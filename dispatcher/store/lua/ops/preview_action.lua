-- Says what an action would do to jobs, and changes nothing.
--
-- action
-- options  JSON (see lib/actions.lua)
-- ids      JSON list
-- answer   for each id: why it would be refused, or '', or '?' where it is not and somebody may have been
--          called already; and the tariff, or ''

local record = require('lib/record')
local actions = require('lib/actions')

local function run(call)
  local action, options, answers = actions[call.args.action], cjson.decode(call.args.options), {}
  for _, id in ipairs(cjson.decode(call.args.ids)) do
    local job = record.load(call, id)
    local refusal = not job and 'gone' or action.refuses(call, job, options)
    answers[#answers + 1] = refusal or (actions.unknown(call, job) and '?' or '')
    answers[#answers + 1] = job and job.tariff or ''
  end
  return answers
end

return { run = run, flags = { 'no-writes' } }
