-- Ready jobs wait in lines, one of a campaign or producer, which take turns.

local schema = require('schema')
local text = require('lib/text')
local record = require('lib/record')
local entries = require('lib/entries')

local M = {}

local key = schema.key

M.of = record.line

-- Ends the lines from which jobs went and in which none is left.
function M.tidy(call)
  local left = call.left
  if not left then
    return
  end
  for ready, at in pairs(left) do
    entries.write_of(call, ready)
    if redis.call('EXISTS', ready) == 0 then
      redis.call('ZREM', at.lines, at.line)
    end
  end
  call.left = nil
end

local function begin(call, priority, line)
  local lines = key.lines(call, priority)
  if not redis.call('ZSCORE', lines, line) then
    local first = redis.call('ZRANGE', lines, 0, 0, 'WITHSCORES')
    redis.call('ZADD', lines, first[2] and first[2] + 1 or 0, line)
  end
end

-- A line may have ended since jobs came to it.
function M.forget_joined(call, ready)
  if call.joined then
    call.joined[ready] = nil
  end
end

-- A line that comes anew starts one turn behind the one whose turn it is: it neither waits for what the
-- others have had, nor makes up for the time when it asked for nothing, nor goes before them each time
-- where it comes with one job after another.
function M.join(call, job)
  M.tidy(call)
  local line = M.of(job)
  local ready = key.ready(call, job.priority, line)
  call.joined = call.joined or {}
  if not call.joined[ready] then
    begin(call, job.priority, line)
    call.joined[ready] = true
  end
  entries.put(call, ready, text.int(math.min(job.due, call.now)), job.id)
end

-- Answers whether it stood there. `ready` of a job: the line that it was found in.
function M.leave(call, job)
  local line = M.of(job)
  local ready = key.ready(call, job.priority, line)
  local stood = job.ready == ready
  if stood then
    entries.remove(call, ready, job.id)
  else
    entries.write_of(call, ready)
    stood = redis.call('ZREM', ready, job.id) == 1
  end
  M.forget_joined(call, ready)
  call.left = call.left or {}
  call.left[ready] = { lines = key.lines(call, job.priority), line = line }
  return stood
end

-- All lines of a priority.
function M.all(call, priority)
  M.tidy(call)
  return redis.call('ZRANGE', key.lines(call, priority), 0, -1)
end

-- Whether jobs wait in lines of any of these priorities.
function M.any(call, priorities)
  M.tidy(call)
  local names = {}
  for i, priority in ipairs(priorities) do
    names[i] = key.lines(call, priority)
  end
  return redis.call('EXISTS', unpack(names)) > 0
end

return M
