-- Sets the window of time in which a queued job may be dialled; where it is not open now, the job waits.
--
-- id
-- opens   ms since the epoch; left out: never
-- closes  ms
-- hours   the calling hours that the window comes from
-- actor, why
-- answer  state, or 'gone'

local schema = require('schema')
local moves = require('lib/moves')
local places = require('lib/places')
local record = require('lib/record')

local field = schema.field

local function run(call)
  local args, job = call.args, record.load(call, call.args.id)
  if not job then
    return 'gone'
  elseif job.state ~= 'queued' then
    return job.state
  elseif not args.opens then
    moves.move(call, job, 'failed', { reason = 'not_allowed', actor = args.actor, why = args.why })
    return job.state
  end
  record.set(job, field.opens, args.opens)
  record.set(job, field.closes, args.closes)
  record.set(job, field.window_of, args.hours)
  if call.now < tonumber(args.opens) then
    moves.schedule(call, job, tonumber(args.opens), { actor = args.actor, why = args.why })
  else
    places.stand_in_line_anew(call, job) -- it was set aside meanwhile
  end
  record.save(job)
  return job.state
end

return { run = run }
