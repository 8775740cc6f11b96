-- Redis' clock may go back: when one that was ahead is set right, or by a failover to a machine whose
-- clock is behind. What was written before then lies further ahead than it honestly can, and would stand
-- for as long as the clock went back. lib/moments.lua moves it, so that what is left to wait is what it was.
-- And it may jump ahead: then a time that was to pass has not.
--
-- clock  hash: see Clock in schema.py

local schema = require('schema')
local text = require('lib/text')
local events = require('lib/events')
local counters = require('lib/counters')

local M = {}

local key, field = schema.key, schema.clock

M.STEP = 1000 -- ms: a smaller step costs no more than that

-- By how many ms the clock went back since a moment that was now once; 0: it did not.
function M.went_back(call, moment)
  local by = moment - call.exact
  return by > M.STEP and by or 0
end

-- Members of a sorted set of moments that lie further ahead than so many ms come in `again` ms; up to
-- `limit` of them. Answers how many.
function M.bound(call, index, most, again, limit)
  local from, many = text.int(call.now + most + M.STEP), limit and text.int(limit) or '-1'
  local ahead = redis.call('ZRANGEBYSCORE', index, from, '+inf', 'LIMIT', '0', many)
  for _, member in ipairs(ahead) do
    redis.call('ZADD', index, call.now + again, member)
  end
  return #ahead
end

-- The clock stepped by so many ms, as whoever sees it first says; what stands wrongly is moved from now on.
function M.step(call, by)
  local now = text.int(call.now)
  redis.call('HSET', key.clock(call), field.latest, now, field.stepped, now, field.by, text.int(by), field.pass, '1', field.cursor, '0')
  counters.add(call, 'clock_steps')
  events.tell(call, 'clock.stepped', { by = math.floor(by), at = call.now })
end

return M
