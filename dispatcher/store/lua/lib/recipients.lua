-- Which jobs call a number: found by the whole of it, or by its last digits. The jobs to numbers with the same
-- last few digits share a zset, small enough for Redis to keep it closely packed.
--
-- by_recipient:<last digits>  zset: id (of a conference's further numbers: <id>:<place>) by the digits before
--                             them, last first, with zeros behind; so those that end alike are a range

local schema = require('schema')
local text = require('lib/text')

local M = {}

local key = schema.key
local LAST, BEFORE = schema.recipient_last, schema.recipient_before

local function index_of(call, digits)
  return key.by_recipient(call, string.sub(digits, -LAST))
end

local function score(digits)
  local before = string.reverse(string.sub(digits, 1, -LAST - 1))
  return before .. string.rep('0', BEFORE - #before)
end

local function member(id, place)
  return place == 1 and id or id .. ':' .. text.int(place)
end

function M.add(call, id, list)
  local place = 0
  for digits in text.items(list) do
    place = place + 1
    redis.call('ZADD', index_of(call, digits), score(digits), member(id, place))
  end
end

function M.remove(call, id, list)
  local place = 0
  for digits in text.items(list) do
    place = place + 1
    redis.call('ZREM', index_of(call, digits), member(id, place))
  end
end

-- The ids of jobs that call a number, at most so many.
function M.find(call, digits, most)
  local ids = redis.call('ZRANGEBYSCORE', index_of(call, digits), score(digits), score(digits), 'LIMIT', 0, most)
  for i, each in ipairs(ids) do
    ids[i] = string.match(each, '^[^:]+')
  end
  return ids
end

return M
