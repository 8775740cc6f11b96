-- Writes something that is to reach the replicas: while the hold `replicas` stands, nothing else may.

local schema = require('schema')

local function run(call)
  redis.call('HSET', schema.key.replicas(call), schema.replica.tried, call.now)
  return 1
end

return { run = run }
