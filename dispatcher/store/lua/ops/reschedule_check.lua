-- Sets when the status of a call that is still in progress is checked next.
--
-- id, attempt
-- delay         ms from now
-- status        the provider's word, kept where it is new; left out: none was told
-- reported      1: because a callback came for it
-- participants  of a conference, as the last check told, if any
-- answer        1, or 0 where the job has moved on

local schema = require('schema')
local record = require('lib/record')
local callbacks_seen = require('lib/callbacks_seen')

local function run(call)
  local args, job = call.args, record.load(call, call.args.id)
  if not job or job.state ~= 'in_progress' or job.attempts ~= tonumber(args.attempt) then
    return 0
  end
  redis.call('ZADD', schema.key.due(call, 'in_progress'), call.now + args.delay, job.id)
  if args.status then
    record.set(job, schema.field.outcome, args.status)
  end
  if args.reported then
    callbacks_seen.came_for(job, job.attempts)
  end
  if args.participants then
    record.set_attempt(job, job.attempts, 'participants', args.participants)
  end
  record.save(job)
  return 1
end

return { run = run }
