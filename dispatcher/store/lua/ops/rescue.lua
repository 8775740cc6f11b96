-- Recovers what a dead worker left. Its claim wrote that it was about to send, so the call may have
-- been placed: the job becomes uncertain.
--
-- most    in this call
-- window  ms of evidence window where a job has none of its own
-- answer  how many were recovered

local schema = require('schema')
local moves = require('lib/moves')
local places = require('lib/places')
local record = require('lib/record')
local damaged = require('lib/damaged')
local limiter = require('lib/limiter')

local field = schema.field

local function rescue(call, job)
  limiter.release_connection(call, job.id)
  job.spent = job.spent + 1
  record.set(job, field.spent, job.spent)
  record.set_attempt(job, job.attempts, 'result', 'maybe_placed')
  local window = job.fields[field.evidence_window] or call.args.window
  moves.move(call, job, 'uncertain', {
    actor = 'dispatcher', why = 'the worker died; the call may have been placed', next_at = call.now + window,
  })
end

local function run(call)
  local lapsed = places.come(call, 'dialing', call.args.most)
  damaged.try_each(call, schema.key.due(call, 'dialing'), lapsed, rescue)
  return #lapsed
end

return { run = run, flags = { 'allow-oom' } }
