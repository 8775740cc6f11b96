-- Redis' clock may go back: when one that was ahead is set right, or by a failover to a machine whose
-- clock is behind. What was written before then lies further ahead than it honestly can, and would stand
-- for as long as the clock went back. It is moved, so that what is left to wait is what it was.

local schema = require('schema')
local text = require('lib/text')
local record = require('lib/record')

local M = {}

local key, field = schema.key, schema.field
local STEP = 1000 -- ms: going back by less costs no more than that

-- By how many ms the clock went back since a moment that was now once; 0: it did not.
function M.went_back(call, moment)
  local by = moment - call.exact
  return by > STEP and by or 0
end

-- Members of a sorted set of moments that lie further ahead than so many ms come in `again` ms.
function M.bound(call, index, most, again)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', index, call.now + most + STEP, '+inf')) do
    redis.call('ZADD', index, call.now + again, member)
  end
end

local function last_written(job)
  return job.created + tonumber(string.match(job.fields['t' .. text.int(job.events - 1)], '^%d+'))
end

-- What a user set a job's moment to is not relative to when it was written.
local function is_relative(job)
  return job.state ~= 'scheduled' or job.attempts > 0
end

-- Moves a job's next moment back, once for what was written last; false where the clock did not go back.
local function mend(call, index, job, next_at)
  local written = last_written(job)
  local by = M.went_back(call, written)
  if by == 0 then
    return false
  elseif is_relative(job) and job.fields[field.moved_from] ~= text.int(written) then
    redis.call('ZADD', index, next_at - by, job.id)
    record.set(job, field.moved_from, written)
    record.save(call, job)
  end
  return true
end

-- Mends the next moments of a state's jobs (or of `cost`). Those furthest ahead are looked at, up to the
-- first that was not written by a clock that went back: without a step that is the first one.
function M.mend_next_moments(call, state, most)
  local index = key.due(call, state)
  local ahead = redis.call('ZREVRANGEBYSCORE', index, '+inf', call.now + STEP, 'WITHSCORES', 'LIMIT', 0, most)
  for i = 1, #ahead, 2 do
    local job = record.load(call, ahead[i])
    if job and not mend(call, index, job, tonumber(ahead[i + 1])) then
      return
    end
  end
end

return M
