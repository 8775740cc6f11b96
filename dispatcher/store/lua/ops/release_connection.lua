-- Gives back the connection of a request that take_slot granted.
--
-- holder

local limiter = require('lib/limiter')

local function run(call)
  limiter.release_connection(call, call.args.holder)
  return 1
end

return { run = run, flags = { 'allow-oom' } }
