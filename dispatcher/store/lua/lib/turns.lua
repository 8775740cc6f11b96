-- Whose turn it is among the ready: the most urgent first, in turn between lines (campaigns, producers), oldest
-- first within one. Strict between priorities, but every 10th turn is `normal`'s and every 20th `bulk`'s where
-- they wait, so that no flood above starves them.

local schema = require('schema')
local text = require('lib/text')
local places = require('lib/places')

local M = {}

local key = schema.key
local BULK_FIRST = { 'bulk', 'urgent', 'normal' }
local AHEAD = 10 -- jobs of a line that are read at once
local NORMAL_FIRST = { 'normal', 'urgent', 'bulk' }

local function order_of_turn(call)
  local turn = (call.turn or tonumber(redis.call('GET', key.turn(call)) or nil) or 0) + 1
  call.turn = turn
  if turn % 20 == 15 then
    return BULK_FIRST
  elseif turn % 10 == 0 then
    return NORMAL_FIRST
  end
  return schema.priorities
end

-- The oldest of a line that is still there; nil: none is. Read some at a time: nothing comes into a line meanwhile.
local function head(call, ready)
  call.heads = call.heads or {}
  while true do
    local ids = call.heads[ready] or {}
    if not ids[1] then
      ids = redis.call('ZREVRANGE', ready, -AHEAD, -1)
      call.heads[ready] = ids
    end
    if not ids[1] then
      return nil
    end
    local id = table.remove(ids)
    local job = places.load_all(call, ready, { id }, places.put_aside)[1]
    if job and (job.state == 'queued' or redis.call('ZSCORE', ready, id)) then -- else another job's turn ended it
      return job
    end
  end
end

-- The oldest of the line whose turn it is, which has had its turn then; nil where none waits.
local function first_of(call, priority)
  local index = key.lines(call, priority)
  local line = not call.empty[priority] and redis.call('ZRANGE', index, 0, 0)[1]
  while line do
    local ready = key.ready(call, priority, line)
    local job = head(call, ready)
    if job then
      redis.call('ZINCRBY', index, 1, line)
      return job, ready
    elseif redis.call('EXISTS', ready) == 0 then
      redis.call('ZREM', index, line)
      call.joined[ready] = nil
    end
    line = redis.call('ZRANGE', index, 0, 0)[1]
  end
  call.empty[priority] = true
end

-- Keeps how many turns there were.
function M.save(call)
  if call.turn then
    redis.call('SET', key.turn(call), text.int(call.turn))
  end
end

-- The job whose turn it is and the line that it stays in, or nil; of this priority alone, if one is given. Nothing
-- comes into line between the turns of an operation.
function M.next_job(call, only)
  call.empty = call.empty or {}
  for _, priority in ipairs(only and { only } or order_of_turn(call)) do
    local job, ready = first_of(call, priority)
    if job then
      return job, ready
    end
  end
end

return M
