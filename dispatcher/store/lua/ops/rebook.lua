-- A granted request goes out only now, later than it was booked for: its period begins anew. Whatever
-- held it up, the requests after it keep their distance from it.
--
-- booked  reading it was booked by, as claim told
-- answer  reading it is booked by now

local pace = require('lib/pace')
local limiter = require('lib/limiter')

local function run(call)
  if limiter.rate(call) then
    limiter.rebook(call, string.match(call.args.booked, '^%d*'))
    pace.save(call)
  end
  return pace.reading(call)
end

return { run = run, flags = { 'allow-oom' } }
