-- uses _limiter.lua, _costs.lua, _budget.lua
-- Moves on what time alone moves on: due jobs into line, overdue ones to their end, lost messages
-- back into line, and held jobs out of gates that have opened.
--
-- ARGV[2]  most of each kind in this call
-- answer   {due, overdue, lost, released}: how many of each

local most = tonumber(ARGV[2])
local due, ended, lost, released = 0, 0, 0, 0

for _, job in ipairs(come('scheduled', most)) do
  queue(job, 'dispatcher', 'due')
  due = due + 1
end

for _, job in ipairs(come('queued', most)) do
  if overdue(job) then
    move(job, 'expired', '', nil, 'dispatcher', 'the deadline passed before it was dialled')
    ended = ended + 1
  else
    leave(job)
    arrive(job, job.expires)
    lost = lost + 1
  end
end

for _, job in ipairs(come('held', most)) do
  move(job, 'expired', '', nil, 'dispatcher', 'the deadline passed while it was held')
  ended = ended + 1
end

-- Room may have come: a call under way cost less than was reserved, a day is over, a limit was raised.
if GATES.credit and not GATES.credit.ajar then
  reconsider_credit(LIMITS.floor)
end
for _, name in ipairs(GATE_NAMES) do
  local scope = string.match(name, '^limit:(.*)$')
  if scope and GATES[name] then
    local left = left_under(scope, LIMITS)
    if not left or left >= GATES[name].required * UNITS then
      reopen(name, 'there is room under the limit')
    end
  end
end

-- What all jobs in line are likely to take.
local function line_needs()
  local sum, flat = 0, redis.call('HGETALL', key('waiting'))
  for i = 1, #flat, 2 do
    local tariff = string.match(flat[i], '^queued:(.*)$')
    if tariff and flat[i + 1] ~= '0' then
      local _, reserve = price(tariff, LIMITS.expected)
      sum = sum + flat[i + 1] * reserve
    end
  end
  return sum
end

-- How much the jobs that are released may take, or nil: as much as they like. What cannot be paid for
-- stays where it is, rather than go into line and be parked again.
local function purse(gate)
  local left
  if gate == 'credit' and LIMITS.floor then
    left = available(account())
    -- The last call may take what the floor demands: the provider looks before a call, not after it.
    left = left and left - line_needs() - LIMITS.floor + 1
  elseif string.match(gate, '^limit:') then
    left = left_under(string.match(gate, '^limit:(.*)$'), LIMITS)
  end
  return left
end

-- Nobody is held behind an open gate without a reason that shows.
local function shut_again(gate, job, reserve)
  local why, need
  if gate == 'credit' then
    why, need = beyond_budget(LIMITS.floor, reserve)
  else
    local scope, words = beyond_limit(job, reserve, LIMITS)
    gate, why, need = 'limit:' .. (scope or ''), words, reserve
  end
  if why then
    shut(gate, why, need / UNITS)
  end
end

local function release(gate, most_here)
  local left = purse(gate)
  for _, priority in ipairs(PRIORITIES) do
    local line = key('held', gate, priority)
    for _, job in ipairs(load_all(line, redis.call('ZRANGE', line, 0, most_here - 1))) do
      local _, reserve = price(job.tariff, LIMITS.expected)
      if left and left <= 0 then
        shut_again(gate, job, reserve)
        return false
      end
      left = left and left - reserve
      queue(job, 'dispatcher', 'released')
      released = released + 1
      most_here = most_here - 1
    end
    if most_here <= 0 then
      return false
    end
  end
  return true
end

-- A job that was deleted by hand tries nothing any more.
for name, gate in pairs(GATES) do
  if gate.trial and redis.call('EXISTS', key('job', gate.trial)) == 0 then
    gate.trial = nil
    write_gate(name)
  end
end

local ajar = false
for _, gate in pairs(GATES) do
  ajar = ajar or gate.ajar
end
if not closed_gate() then
  for _, gate in ipairs(redis.call('SMEMBERS', key('holds'))) do
    if ajar then
      if GATES[gate] and GATES[gate].ajar and redis.call('ZCARD', key('fed')) == 0 then
        release(gate, 1) -- it tries, before others are let go
      end
    elseif released < most and not GATES[gate] and release(gate, most - released) then
      redis.call('SREM', key('holds'), gate) -- nothing is left behind it
    end
  end
end
return { due, ended, lost, released }
