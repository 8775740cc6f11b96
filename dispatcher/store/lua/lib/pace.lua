-- Where the account's limiter stands, by a time of its own: Redis' clock, less what that is ahead by. The
-- limiter's time goes on, and no faster than real time, wherever Redis' clock steps to: so all that stands by
-- it stays as it is. After a step it is at worst a little late, which lets nothing out too early.
--
-- What an operation changes it saves in one go (`save`).

local schema = require('schema')
local text = require('lib/text')
local clock = require('lib/clock')

local M = {}

local key, pace = schema.key, schema.pace
local LATEST_USE = 60000 -- ms for which a reading is used: two honest clocks differ by far less meanwhile

local function change(found, name, value)
  found.now[name], found.changed[name] = value, true
end

-- What the time can be at most by the caller's reading, if it has one that was taken since the last correction.
local function reckoned(call, behind)
  local at, known_behind = string.match(call.args.reading or '', '^(%d+):(-?%d+)$')
  local passed = tonumber(call.args.passed or nil)
  if at and known_behind == text.micros(behind) and passed < LATEST_USE then
    return text.from_micros(at) + passed
  end
end

-- What the time is: as the clock says, unless that jumped ahead since the caller's reading, or went back since
-- the last request, or look at the clock. Nor is what is reckoned before these: they went by a clock that had
-- jumped already.
local function true_time(call, now, time)
  local most, least = reckoned(call, now.behind), math.max(now.last_request, now.seen)
  if most and time > most + clock.STEP then
    time = most
  end
  return time < least - clock.STEP and least or time
end

local function correct(call, found, by)
  local now = found.now
  if by < 0 then
    -- a slot beyond the clock before the correction was given by that clock
    for _, slot in ipairs({ pace.next_slot, pace.next_even_slot, pace.next_check_slot }) do
      if now[slot] > found.time then
        change(found, slot, now[slot] + by)
      end
    end
  end
  change(found, pace.behind, now.behind - by)
  found.time, found.went_back = found.time + by, math.max(0, by)
end

-- Where the clock went back it may be right again: what was booked before it was ahead, and looks long past,
-- is counted as if it had been ahead then.
local function bring_forward(call, by, before)
  local recent = key.recent(call)
  local moments = redis.call('LRANGE', recent, 0, -1)
  redis.call('DEL', recent)
  for _, moment in ipairs(moments) do
    local at = text.from_micros(moment)
    redis.call('RPUSH', recent, text.micros(at <= before and at + by or at))
  end
end

local NEVER_WAS = { __index = function() return 0 end }

local function load(call)
  local stands, flat = setmetatable({}, NEVER_WAS), redis.call('HGETALL', key.pace(call))
  for i = 1, #flat, 2 do
    stands[flat[i]] = (tonumber(flat[i + 1]) or 0) / 1000
  end
  local found = { now = stands, changed = {}, time = call.exact - stands.behind, went_back = 0 }
  local by = true_time(call, stands, found.time) - found.time
  if by ~= 0 then
    correct(call, found, by)
  end
  return found
end

local function of(call)
  call.pace = call.pace or load(call)
  return call.pace
end

-- Its fields, in ms; 0 for what never was.
function M.now(call)
  return of(call).now
end

-- The limiter's time, in ms.
function M.time(call)
  return of(call).time
end

-- What a caller is told of the time, to say it when it asks again: <time>:<behind>, in µs. It begins with the
-- moment that a request which goes out now is booked at.
function M.reading(call)
  return text.micros(of(call).time) .. ':' .. text.micros(of(call).now.behind)
end

-- By how many ms Redis' clock went back, as this operation is the first to see; 0: it did not.
function M.went_back(call)
  return of(call).went_back
end

function M.set(call, name, value)
  change(of(call), name, value)
end

-- A whole number beside the moments, which are kept in µs.
function M.number(call, name)
  return math.floor(of(call).now[name] * 1000 + 0.5)
end

function M.set_number(call, name, value)
  change(of(call), name, value / 1000)
end

-- Whoever asks for a request does this first.
function M.follow(call)
  local found = of(call)
  local by = found.went_back
  if by > 0 then
    found.went_back = 0
    bring_forward(call, by, found.time - by)
    clock.step(call, -by)
  end
end

function M.save(call)
  M.follow(call)
  local found, flat = of(call), {}
  for name in pairs(found.changed) do
    flat[#flat + 1] = name
    flat[#flat + 1] = text.micros(found.now[name])
  end
  if flat[1] then
    redis.call('HSET', key.pace(call), unpack(flat))
    found.changed = {}
  end
end

return M
