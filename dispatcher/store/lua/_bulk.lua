-- An act on many jobs, as it stands. Stands before the operations of it, after _audit.lua.
--
-- ns:act:<id>     hash  `what`, `state` (created, running, done, stopped), `meant` (in words), `wish` (JSON);
--                       as previewed `matched`, `chosen`, `credits`, `answered` (credits if all are), `unknown`,
--                       `left_out` (JSON); once it was begun `actor`, `why`, `begun`, how many it `did`,
--                       `no:<refusal>` (how many) and `ids:<refusal>` (the first of them); `ended`, and how
--                       many were `left` then
-- ns:act:<id>:ids list  the jobs that are left to act on
-- ns:acts         zset  id by when it was begun
-- ns:acts:open    zset  running, by the moment somebody else looks after it
-- Retention: proposed for an hour, ended for KEPT; ns:acts goes by the same.

local KEPT = 30 * 86400000
local ACT, IDS = key('act', ARGV[2]), key('act', ARGV[2], 'ids')

local function read_act()
  local act, flat = {}, redis.call('HGETALL', ACT)
  for i = 1, #flat, 2 do
    act[flat[i]] = flat[i + 1]
  end
  return act
end

local function look_after(lease)
  redis.call('ZADD', key('acts', 'open'), NOW + lease, ARGV[2])
end

-- Ends it as `done` or `stopped`; returns how many jobs are left as they are.
local function close(state)
  local left = redis.call('LLEN', IDS)
  redis.call('HSET', ACT, 'state', state, 'ended', int(NOW), 'left', left)
  redis.call('ZREM', key('acts', 'open'), ARGV[2])
  redis.call('DEL', IDS)
  redis.call('PEXPIRE', ACT, KEPT)
  redis.call('ZREMRANGEBYSCORE', key('acts'), '-inf', NOW - KEPT)
  return left
end

-- Ends it, and writes down what came of it.
local function finish(act, state, actor, why)
  local facts = { act = ARGV[2], chosen = tonumber(act.chosen), left = close(state) }
  for field, value in pairs(read_act()) do
    local refused = string.match(field, '^no:(.*)$')
    if refused or field == 'did' then
      facts[refused or field] = tonumber(value)
    end
  end
  audit(actor, act.what .. '.' .. state, act.meant, why, facts)
end
