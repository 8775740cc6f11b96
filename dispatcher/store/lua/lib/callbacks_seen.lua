-- Whether the provider's callbacks are seen to arrive. Where they are not, that none came for a call says
-- nothing of the call.

local schema = require('schema')
local text = require('lib/text')
local events = require('lib/events')
local record = require('lib/record')
local counters = require('lib/counters')

local M = {}

local key, seen = schema.key, schema.seen

-- A callback came.
function M.came(call)
  redis.call('HSET', key.callbacks_seen(call), seen.last, text.int(call.now), seen.missing, '0', seen.redialled, '0')
end

-- It came for an attempt whose call is not known to be over. The caller saves the job.
function M.came_for(job, n)
  record.set_attempt(job, n, 'reported', '1')
end

-- A status check found the attempt's call over: was it reported, too?
function M.ended(call, job, n)
  if record.get_attempt(job, n, 'reported') then
    return
  end
  counters.add(call, 'calls_without_callback')
  local missing = redis.call('HINCRBY', key.callbacks_seen(call), seen.missing, 1)
  if missing == schema.silent_after then
    local last = redis.call('HGET', key.callbacks_seen(call), seen.last)
    events.tell(call, 'callbacks.missing', { calls = missing, last = tonumber(last or nil), at = call.now })
  end
end

function M.may_redial(call, most)
  local name = key.callbacks_seen(call)
  if tonumber(redis.call('HGET', name, seen.redialled) or 0) >= most then
    return false
  end
  redis.call('HINCRBY', name, seen.redialled, 1)
  return true
end

return M
