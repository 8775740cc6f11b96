-- Sets when the cost of an ended job is looked for again, which its end did not tell.
--
-- id, attempt
-- delay   ms until the next check; left out: there is none
-- answer  1, or 0 where its cost is not looked for (any more)

local schema = require('schema')
local places = require('lib/places')
local record = require('lib/record')

local function run(call)
  local args, job = call.args, record.load(call, call.args.id)
  if not job or not job.fields[schema.field.cost_check] or job.attempts ~= tonumber(args.attempt) then
    return 0
  end
  places.end_cost_check(call, job)
  if args.delay then
    places.schedule_cost_check(call, job, args.delay)
  end
  record.save(job)
  return 1
end

return { run = run }
