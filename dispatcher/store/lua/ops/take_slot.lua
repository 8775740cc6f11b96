-- Asks for one request of the account's that is not a dial: a status check, a balance check.
-- While the provider is down or refuses the account, only a balance check may go out.
--
-- holder   a name for the request, to give its connection back by
-- ahead    ms that the caller can wait for it, at most
-- reading  of the limiter's time, as the caller was told at its latest answer, if any
-- passed   ms since then, by a clock that nobody sets
-- balance  1 for a balance check, which tries whether a hold may end
-- answer   {ms after which to ask again, ms until the request goes out, reading, or '': the limiter was not asked};
--          where the first is not 0 nothing is granted

local pace = require('lib/pace')
local text = require('lib/text')
local holds = require('lib/holds')
local limiter = require('lib/limiter')

local STOPPED = 5000 -- ms
local MOST_AHEAD = 500 -- ms: what is further away is asked for again, since more may change till then

local function run(call)
  local args = call.args
  if not args.balance and (holds.closed(call, 'auth') or holds.closed(call, 'provider_down')) then
    return { text.exact(STOPPED), '0', '' }
  end
  local again, after = limiter.take_slot(call, math.min(MOST_AHEAD, args.ahead or MOST_AHEAD), args.holder)
  return { text.exact(again), text.exact(after), pace.reading(call) }
end

return { run = run }
