-- A granted request goes out later than it was booked for: its windows begin anew. Whatever held it up, the requests
-- after it keep their distance from it.
--
-- booked   what it was booked by, as take or an earlier answer told
-- reading  of the limiter's time, as the caller was told at its latest answer, if any
-- passed   ms since then, by a clock that nobody sets
-- answer   {what it is booked by now, ms until it may go out, reading, or '': there is no limit}

local pace = require('lib/pace')
local text = require('lib/text')
local limiter = require('lib/limiter')

local function run(call)
  if not limiter.rate(call) then
    return { call.args.booked, '0', '' }
  end
  pace.follow(call)
  local at = limiter.rebook(call, call.args.booked)
  pace.save(call)
  return { text.micros(at), text.exact(math.max(0, at - pace.time(call))), pace.reading(call) }
end

return { run = run, flags = { 'allow-oom' } }
