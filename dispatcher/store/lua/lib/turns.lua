-- Whose turn it is among the ready: the most urgent first, in turn between lines (campaigns, producers), oldest
-- first within one. Strict between priorities, but every 10th turn is `normal`'s and every 20th `bulk`'s where
-- they wait, so that no flood above starves them.

local schema = require('schema')
local pace = require('lib/pace')
local text = require('lib/text')
local lines = require('lib/lines')
local places = require('lib/places')
local entries = require('lib/entries')

local M = {}

local key, field = schema.key, schema.pace
local BULK_FIRST = { 'bulk', 'urgent', 'normal' }
local OLDEST = '-10' -- of a line so many are read at once
local NORMAL_FIRST = { 'normal', 'urgent', 'bulk' }

local function order_of_turn(call)
  local turn = pace.number(call, field.turns) + 1
  pace.set_number(call, field.turns, turn)
  if turn % 20 == 15 then
    return BULK_FIRST
  elseif turn % 10 == 0 then
    return NORMAL_FIRST
  end
  return schema.priorities
end

-- The oldest of a line that is still there; nil: none is. Read some at a time: nothing comes into a line meanwhile.
local function head(call, ready)
  while true do
    local ids = call.turns.heads[ready] or {}
    if not ids[1] then
      entries.write_of(call, ready)
      ids = redis.call('ZREVRANGE', ready, OLDEST, '-1')
      call.turns.heads[ready] = ids
    end
    if not ids[1] then
      return nil
    end
    local id = table.remove(ids)
    local job = places.load(call, ready, id, places.put_aside)
    if job and (job.state == 'queued' or redis.call('ZSCORE', ready, id)) then -- else another job's turn ended it
      job.ready = ready
      return job
    end
  end
end

-- The line whose turn it is, or nil. One that is the only one of its priority keeps its turn.
local function next_line(call, priority)
  local only = call.turns.only[priority]
  if only then
    return only.line
  end
  local found = redis.call('ZRANGE', key.lines(call, priority), '0', '1')
  if found[1] and not found[2] then
    call.turns.only[priority] = { line = found[1], turns = 0 }
  end
  return found[1]
end

local function had_turn(call, priority, line)
  local only = call.turns.only[priority]
  if only then
    only.turns = only.turns + 1
  else
    redis.call('ZINCRBY', key.lines(call, priority), 1, line)
  end
end

local function end_line(call, priority, line, ready)
  redis.call('ZREM', key.lines(call, priority), line)
  call.turns.only[priority] = nil
  lines.forget_joined(call, ready)
end

-- The oldest of the line whose turn it is, which has had its turn then; nil where none waits.
local function first_of(call, priority)
  local line = not call.turns.empty[priority] and next_line(call, priority)
  while line do
    local ready = key.ready(call, priority, line)
    local job = head(call, ready)
    if job then
      had_turn(call, priority, line)
      return job, ready
    elseif redis.call('EXISTS', ready) == 0 then
      end_line(call, priority, line, ready)
    end
    line = next_line(call, priority)
  end
  call.turns.empty[priority] = true
end

-- Whether it showed that none waits in this priority.
function M.found_none(call, priority)
  return call.turns and call.turns.empty[priority]
end

-- Keeps how many turns each line had that was the only one of its priority.
function M.save(call)
  for priority, only in pairs(call.turns and call.turns.only or {}) do
    redis.call('ZADD', key.lines(call, priority), 'XX', 'INCR', text.int(only.turns), only.line) -- unless it has ended
  end
end

-- The job whose turn it is and the line that it stays in, or nil; of this priority alone, if one is given. Nothing
-- comes into line between the turns of an operation.
function M.next_job(call, only)
  call.turns = call.turns or { empty = {}, only = {}, heads = {} }
  for _, priority in ipairs(only and { only } or order_of_turn(call)) do
    local job, ready = first_of(call, priority)
    if job then
      return job, ready
    end
  end
end

return M
