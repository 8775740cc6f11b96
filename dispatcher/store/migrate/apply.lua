-- Does a batch of a migration in one step, where the migration is still its caller's.
--
-- KEYS[1]  the migration's lock
-- ARGV[1]  token
-- ARGV[2]  ms for which nobody else may take it over
-- ARGV[3…] commands: how many arguments, and these; of our own are `MOVE from to`, and for a hash
--          `TURN from to <how many fields go> field … field value …`
-- answer   1, or 0 where somebody else has taken it over: then nothing was done

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])

local MERGE = {}

function MERGE.hash(from, to)
  local flat = redis.call('HGETALL', from)
  for i = 1, #flat, 2 do
    redis.call('HSETNX', to, flat[i], flat[i + 1])
  end
end

function MERGE.zset(from, to)
  local flat = redis.call('ZRANGE', from, 0, -1, 'WITHSCORES')
  for i = 1, #flat, 2 do
    redis.call('ZADD', to, 'NX', flat[i + 1], flat[i])
  end
end

function MERGE.set(from, to)
  redis.call('SUNIONSTORE', to, to, from)
end

function MERGE.list(from, to)
  for _, item in ipairs(redis.call('LRANGE', from, 0, -1)) do
    redis.call('RPUSH', to, item)
  end
end

function MERGE.string()
end

-- What stands there already stays as it is.
local function move(from, to)
  if redis.call('EXISTS', to) == 0 then
    redis.call('RENAME', from, to)
  else
    MERGE[redis.call('TYPE', from).ok](from, to)
    redis.call('DEL', from)
  end
end

local OWN = {}

function OWN.MOVE(first)
  if redis.call('EXISTS', ARGV[first]) == 1 then -- else its time ran out meanwhile
    move(ARGV[first], ARGV[first + 1])
  end
end

function OWN.TURN(first, last)
  local from, gone = ARGV[first], tonumber(ARGV[first + 2])
  local pairs_ = first + 3 + gone
  if redis.call('EXISTS', from) == 0 then
    return
  end
  if pairs_ <= last then
    redis.call('HSET', from, unpack(ARGV, pairs_, last))
  end
  if gone > 0 then
    redis.call('HDEL', from, unpack(ARGV, first + 3, pairs_ - 1))
  end
  move(from, ARGV[first + 1])
end

local place = 3
while place <= #ARGV do
  local first, last = place + 1, place + tonumber(ARGV[place])
  local own = OWN[ARGV[first]]
  if own then
    own(first + 1, last)
  else
    redis.call(unpack(ARGV, first, last))
  end
  place = last + 1
end
return 1
