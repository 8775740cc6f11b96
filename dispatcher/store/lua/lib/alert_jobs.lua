-- What becomes of an alert's jobs, told to the alert in the step in which it happens. This is all of alerts
-- that lib/moves.lua knows of.

local schema = require('schema')
local record = require('lib/record')
local counters = require('lib/counters')

local M = {}

local key, field = schema.key, schema.alert

-- The chain goes on at once.
local function ended(call, job, id)
  redis.call('SREM', key.alert_jobs(call, id), job.id)
  if redis.call('HGET', key.alert(call, id), field.state) == 'ringing' then
    redis.call('HINCRBY', key.alert(call, id), field.version, 1)
    redis.call('ZADD', key.alerts_due(call), call.now, id)
  end
end

local function sent(call, job, id)
  local name, at = key.alert(call, id), record.get_attempt(job, job.attempts, 'sent')
  local found = redis.call('HMGET', name, field.rung, field.received)
  if found[2] and not found[1] then
    redis.call('HSET', name, field.rung, at)
    counters.add(call, 'alert.rung')
    counters.took(call, 'alert.rung', at - found[2])
  end
end

-- Whether nobody is to be called by it any more: somebody has its alert, or that is over. Those who are told
-- that it is over are called after its end.
function M.is_past(call, job)
  local id = job.fields[schema.field.alert]
  if not id then
    return false
  end
  local found = redis.call('HMGET', key.alert(call, id), field.state, field.ended)
  if found[1] == 'resolved' then
    return job.created < (tonumber(found[2] or nil) or call.now)
  end
  return found[1] ~= 'ringing'
end

function M.moved(call, job)
  local id = job.fields[schema.field.alert]
  if not id then
    return
  elseif schema.calling[job.state] and job.state ~= 'dialing' then
    sent(call, job, id)
  elseif schema.terminal[job.state] then
    if job.attempts > 0 and schema.results_of_an_end[record.get_attempt(job, job.attempts, 'result') or ''] then
      sent(call, job, id) -- its end came first
    end
    ended(call, job, id)
  end
end

return M
