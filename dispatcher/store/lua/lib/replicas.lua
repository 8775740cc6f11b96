-- On how many replicas a write must be that a failover is not to forget.
--
-- replicas  hash: see ReplicaField

local schema = require('schema')
local config = require('lib/config')

local M = {}

local key, field = schema.key, schema.replica

-- Whether this master has a replica, or had one so lately that it may take its place.
local function has_one(call)
  local seen = tonumber(redis.call('HGET', key.replicas(call), field.seen) or nil)
  return seen ~= nil and call.now - seen < schema.replica_grace
end

-- The number that is set; where none is, one replica if there is one.
function M.needed(call)
  return config.number(call, schema.config.replicas) or (has_one(call) and 1 or 0)
end

-- Notes which master this is (its replication id), and whether it has replicas now. A promoted one has no
-- replicas yet: those of the old master are nothing to it.
function M.note(call, master, online)
  local name = key.replicas(call)
  local known, seen = unpack(redis.call('HMGET', name, field.master, field.seen))
  if known ~= master then
    redis.call('DEL', name)
    redis.call('HSET', name, field.master, master)
    seen = nil
  end
  seen = tonumber(seen or nil)
  if online and (not seen or math.abs(call.now - seen) >= schema.replica_noted_every) then
    redis.call('HSET', name, field.seen, call.now)
  elseif seen and seen > call.now then
    redis.call('HSET', name, field.seen, call.now) -- the clock went back
  end
end

return M
