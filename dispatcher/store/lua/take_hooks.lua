-- Takes webhooks whose moment has come, for one caller that sends their messages. Targets take turns,
-- and each has few out at a time: one that is slow or failing has one, or is left alone for a while,
-- so that it keeps nobody else waiting. What a dead process took comes again when its lease ends.
--
-- ARGV[2]  most whose message is out
-- ARGV[3]  most of one target that are out or under way
-- ARGV[4]  ms of the lease
-- ARGV[5]  ms after which a webhook is given up, for a target that fails
-- answer   ids

local LINES, OLD = 50, 1000 -- looked at in one call
local most, of_one, lease, patience = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local chosen = {}

local function due(line, many)
  return redis.call('ZRANGEBYSCORE', key('hooks', 'due', line), '-inf', NOW, 'LIMIT', 0, many)
end

-- A target that never answers would otherwise keep what it is not even asked to take.
local function give_up_old(line)
  for _, id in ipairs(due(line, OLD)) do
    local since = tonumber(redis.call('HGET', key('hook', id), '@since') or nil)
    if since and since + patience <= NOW then
      redis.call('ZREM', key('hooks', 'due', line), id)
      redis.call('ZADD', key('hooks', 'dead'), NOW, id)
      redis.call('HSET', key('hook', id), '@error', 'given up: the target has failed all the time')
    end
  end
end

local function take(line, room)
  for _, id in ipairs(due(line, room)) do
    if redis.call('EXISTS', key('hook', id)) == 1 then
      for _, where in ipairs({ key('hooks', 'due', line), key('hooks', 'out', line), key('hooks', 'out') }) do
        redis.call('ZADD', where, NOW + lease, id)
      end
      chosen[#chosen + 1] = id
    else
      redis.call('ZREM', key('hooks', 'due', line), id) -- deleted by hand
    end
  end
end

-- When the line is looked at next; nil where nothing is left of it. What is due and finds no room
-- waits for one that is out: its end brings the line back at once.
local function next_look(line)
  local first = redis.call('ZRANGE', key('hooks', 'due', line), 0, 0, 'WITHSCORES')[2]
  if first and tonumber(first) <= NOW then
    return redis.call('ZRANGE', key('hooks', 'out', line), 0, 0, 'WITHSCORES')[2] or NOW + 1000
  end
  return first
end

redis.call('ZREMRANGEBYSCORE', key('hooks', 'out'), '-inf', NOW)
local room = most - redis.call('ZCARD', key('hooks', 'out'))
for _, line in ipairs(redis.call('ZRANGEBYSCORE', key('hooks'), '-inf', NOW, 'LIMIT', 0, LINES)) do
  local failures, until_, slow = unpack(redis.call('HMGET', key('hooks', 'line', line), 'failures', 'until', 'slow'))
  if failures then
    give_up_old(line)
  end
  if tonumber(until_ or 0) > NOW then
    redis.call('ZADD', key('hooks'), until_, line)
  elseif room > #chosen then
    redis.call('ZREMRANGEBYSCORE', key('hooks', 'out', line), '-inf', NOW)
    local may = (failures or slow) and 1 or of_one
    take(line, math.min(room - #chosen, math.max(0, may - redis.call('ZCARD', key('hooks', 'out', line)))))
    local at = next_look(line)
    if at then
      redis.call('ZADD', key('hooks'), at, line)
    else
      redis.call('ZREM', key('hooks'), line)
    end
  end
end
return chosen
