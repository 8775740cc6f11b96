-- Whether reports wait to be applied that nobody has taken.
--
-- answer  1 or 0

local schema = require('schema')

local function run(call)
  return math.min(redis.call('ZCOUNT', schema.key.callbacks(call), '-inf', call.now), 1)
end

return { run = run, flags = { 'no-writes' } }
