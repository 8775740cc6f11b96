-- Which job a call belongs to, by some of the hash of its callid: the first digits name one of the hashes that
-- these are spread over, each small enough for Redis to keep it closely packed.

local schema = require('schema')

local M = {}

local key = schema.key
local BUCKET, KEPT = schema.callid_bucket, schema.callid_kept

local function find(call, callid)
  local hash = redis.sha1hex(callid)
  return key.by_call(call, string.sub(hash, 1, BUCKET)), string.sub(hash, BUCKET + 1, KEPT)
end

function M.add(call, callid, id)
  local bucket, rest = find(call, callid)
  redis.call('HSET', bucket, rest, id)
end

function M.remove(call, callid)
  redis.call('HDEL', find(call, callid))
end

return M
