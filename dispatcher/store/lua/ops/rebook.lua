-- A granted request goes out only now, later than it was booked for: its period begins anew. Whatever
-- held it up, the requests after it keep their distance from it.
--
-- booked  moment it was booked at, as claim told
-- answer  moment it is booked at now

local schema = require('schema')
local text = require('lib/text')
local limiter = require('lib/limiter')

local function run(call)
  if limiter.rate(call) then
    redis.call('LREM', schema.key.recent(call), -1, call.args.booked)
    limiter.book(call)
    limiter.save(call)
  end
  return text.micros(call.exact)
end

return { run = run, flags = { 'allow-oom' } }
