-- The numbers of a job: which of them are being called, and when they were called.

local schema = require('schema')
local text = require('lib/text')
local clock = require('lib/clock')
local config = require('lib/config')
local record = require('lib/record')

local M = {}

local key, field, setting = schema.key, schema.field, schema.config
local DAY = 86400000 -- ms
local BUSY_AGAIN = 5000 -- ms until a job whose number is on another call of ours is looked at again

-- The digits of each, without the +.
function M.of(job)
  return text.items(record.get(job, field.to))
end

-- Calls that lie ahead were made before the clock went back: no later than now.
local function follow_clock(call, calls)
  local kept = redis.call('LRANGE', calls, 0, -1)
  for place = #kept, 1, -1 do
    redis.call('LPUSH', calls, text.int(math.min(call.now, kept[place])))
  end
  redis.call('LTRIM', calls, 0, #kept - 1)
end

-- When a number may be called next, and why not now; nil: now.
local function protected(call, job, digits)
  M.write(call)
  local busy = config.get(call, setting.one_at_a_time) and redis.call('GET', key.calling(call, digits))
  if busy and busy ~= job.id then
    return call.now + BUSY_AGAIN, 'another call to this number is under way'
  end
  local per_day, gap = config.number(call, setting.recipient_per_day), config.number(call, setting.recipient_gap)
  if job.fields[field.alert] or not (per_day or gap) then
    return nil -- who is in a chain is called however often, and however soon
  end
  local calls = key.called(call, digits)
  if clock.went_back(call, tonumber(redis.call('LINDEX', calls, '0') or nil) or 0) > 0 then
    follow_clock(call, calls)
  end
  local nth = per_day and redis.call('LINDEX', calls, text.int(per_day - 1))
  if nth and nth + DAY > call.now then
    return nth + DAY, 'this number was called ' .. text.int(per_day) .. ' times within a day'
  end
  local last = gap and job.priority ~= 'urgent' and redis.call('LINDEX', calls, '0')
  if last and last + gap > call.now then
    return last + gap, 'this number was called less than ' .. text.int(gap / 1000) .. ' s ago'
  end
end

function M.protected(call, job)
  for digits in M.of(job) do
    local at, why = protected(call, job, digits)
    if at then
      return at, why
    end
  end
end

-- Retention: a day, or as long as a call counts.
function M.begin_call(call, job)
  local per_day, gap = config.number(call, setting.recipient_per_day), config.number(call, setting.recipient_gap)
  for digits in M.of(job) do
    redis.call('SET', key.calling(call, digits), job.id, 'PX', text.int(DAY))
    if per_day or gap then
      local calls = key.called(call, digits)
      redis.call('LPUSH', calls, text.int(call.now))
      -- One more than counts: the latest is taken back where it turns out that nobody was called.
      redis.call('LTRIM', calls, '0', text.int(per_day or 1))
      redis.call('PEXPIRE', calls, text.int(per_day and DAY or gap))
    end
  end
end

-- Evidence brought back a call; where another has the number meanwhile, it keeps it.
function M.pick_up(call, job)
  M.write(call)
  for digits in M.of(job) do
    redis.call('SET', key.calling(call, digits), job.id, 'PX', text.int(DAY), 'NX')
  end
end

-- Those that another job calls by now stay.
function M.write(call)
  local hung_up = call.hung_up
  if not hung_up then
    return
  end
  local names, over = {}, {}
  for name in pairs(hung_up) do
    names[#names + 1] = name
  end
  for i, id in ipairs(redis.call('MGET', unpack(names))) do
    over[#over + 1] = id == hung_up[names[i]] and names[i] or nil
  end
  if over[1] then
    redis.call('DEL', unpack(over))
  end
  call.hung_up = nil
end

function M.hang_up(call, job)
  for digits in M.of(job) do
    local name = key.calling(call, digits)
    if call.hung_up and call.hung_up[name] then
      M.write(call)
    end
    call.hung_up = call.hung_up or {}
    call.hung_up[name] = job.id
  end
end

-- It turned out that attempt n called nobody.
function M.take_back(call, job, n)
  local sent = record.get_attempt(job, n, 'sent') or ''
  for digits in M.of(job) do
    redis.call('LREM', key.called(call, digits), 1, sent)
  end
end

return M
