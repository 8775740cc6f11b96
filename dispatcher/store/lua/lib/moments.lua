-- Moves what stands at a wrong moment after Redis' clock stepped (lib/clock.lua): pass after pass, a batch at
-- a time. A pass answers true when it has nothing left to move. What is not here bounds itself where it is
-- read; tests/store/test_clock_moments.py judges every key.

local schema = require('schema')
local text = require('lib/text')
local clock = require('lib/clock')
local holds = require('lib/holds')
local lines = require('lib/lines')
local entries = require('lib/entries')
local record = require('lib/record')
local event_text = require('lib/event_text')

local M = {}

local key, field, credit = schema.key, schema.field, schema.credit
local SOON = 60000 -- ms: a check comes early rather than late

-- When a job's next moment was set, by the clock of then: when it was moved, or last changed.
local function written(job)
  local events, moved = string.match(job.fields[field.moved] or '', '^(%d+):(%d+)$')
  if tonumber(events) == job.events then
    return tonumber(moved)
  end
  return job.created + event_text.ms(job.fields['t' .. text.int(job.events - 1)])
end

-- A moment that a user set for a job which has not stood in line yet: it is relative to nothing.
local function asked_for(job)
  for i = 0, job.events - 1 do
    if event_text.state(job.fields['t' .. text.int(i)]) ~= 'scheduled' then
      return false
    end
  end
  return true
end

local function move(call, job, index, at)
  redis.call('ZADD', index, at, job.id)
  record.set(job, field.moved, text.int(job.events) .. ':' .. text.int(call.now))
  if job.state == 'scheduled' then
    record.set_due(job, at)
  end
  record.save(job)
end

-- By how much a job's next moment is to be moved. Only a window that waits for evidence waits longer where
-- the clock jumped ahead: whatever else comes early does no harm.
local function shift(call, job, by)
  if by < 0 then
    return -clock.went_back(call, written(job))
  end
  return written(job) <= call.now - by and by or 0
end

-- Those of an index from the cursor on, which is a moment and how many have been seen that stand there.
local function from_cursor(call, index, how)
  local from, seen = string.match(how.cursor, '^(%S+) (%d+)$')
  from = from or (how.by < 0 and text.int(call.now) or '-inf')
  local found = redis.call('ZRANGEBYSCORE', index, from, '+inf', 'WITHSCORES', 'LIMIT', seen or 0, how.most)
  return found, from, tonumber(seen or 0)
end

-- Looks at a state's jobs by their records. What is moved does not stand before the cursor any more.
local function by_record(state)
  return function(call, how)
    local index = key.due(call, state)
    local found, last, seen = from_cursor(call, index, how)
    for i = 1, #found, 2 do
      local job, score = record.load(call, found[i]), found[i + 1]
      local by = job and not asked_for(job) and shift(call, job, how.by) or 0
      if by ~= 0 then
        move(call, job, index, tonumber(score) + by)
      else
        last, seen = score, score == last and seen + 1 or 1
      end
    end
    how.cursor = last .. ' ' .. text.int(seen)
    return #found < 2 * how.most
  end
end

local function soon(name)
  return function(call, how)
    return clock.bound(call, key.due(call, name), SOON, SOON, how.most) < how.most
  end
end

-- Those who wait in line, or behind a hold, stand by when they were due.
local function ready(call, how)
  local left = how.most
  for _, priority in ipairs(schema.priorities) do
    for _, line in ipairs(left > 0 and lines.all(call, priority) or {}) do
      local index = key.ready(call, priority, line)
      entries.write_of(call, index)
      left = left - (left > 0 and clock.bound(call, index, 0, 0, left) or 0)
    end
  end
  return left > 0
end

local function held(call, how)
  local left = how.most
  for _, hold in ipairs(redis.call('SMEMBERS', key.holds_used(call))) do
    for _, priority in ipairs(schema.priorities) do
      left = left - (left > 0 and clock.bound(call, key.held(call, hold, priority), 0, 0, left) or 0)
    end
  end
  return left > 0
end

-- The balance is checked now, and what it says counts against refusals from before.
local function account(call)
  local name = key.credit(call)
  for _, each in ipairs({ credit.checked, credit.next_check }) do
    local at = tonumber(redis.call('HGET', name, each) or nil)
    if at and clock.went_back(call, at) > 0 then
      redis.call('HSET', name, each, text.int(call.now))
    end
  end
  holds.follow_clock(call)
  return true
end

local function webhooks(call, how)
  local left = how.most - clock.bound(call, key.webhooks_out(call), how.lease, how.lease, how.most)
  for _, target in ipairs(redis.call('ZRANGE', key.webhook_targets(call), 0, -1)) do
    for _, index in ipairs({ key.webhooks_due(call, target), key.webhooks_under_way(call, target) }) do
      left = left - (left > 0 and clock.bound(call, index, how.lease, how.lease, left) or 0)
    end
    local health = key.webhook_target(call, target)
    local until_ = tonumber(redis.call('HGET', health, 'until') or nil)
    if until_ and until_ > call.now + how.lease then
      redis.call('HSET', health, 'until', text.int(call.now + how.lease))
    end
  end
  clock.bound(call, key.webhook_targets(call), 0, 0)
  return left > 0
end

M.BACK = {
  by_record('dialing'), by_record('uncertain'), by_record('scheduled'), soon('in_progress'), soon('cost'),
  ready, held, account, webhooks,
}
M.AHEAD = { by_record('uncertain') }

return M
