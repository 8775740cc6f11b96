-- Notes what became of a worker's own request to the public URL.
--
-- passed  1: it came to the gateway; left out: it did not

local schema = require('schema')
local text = require('lib/text')

local key, seen = schema.key, schema.seen

local function run(call)
  local which = call.args.passed and seen.test_passed or seen.test_failed
  redis.call('HSET', key.callbacks_seen(call), which, text.int(call.now))
end

return { run = run }
