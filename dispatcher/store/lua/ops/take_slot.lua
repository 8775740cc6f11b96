-- Asks for one request of the account's that is not a dial: a status check, a balance check.
-- While the provider is down or refuses the account, only a balance check may go out.
--
-- holder   a name for the request, to give its connection back by
-- slot     reserved by an earlier call for this holder, if any
-- reading  of the limiter's time, as the caller was told at its latest answer, if any
-- passed   ms since then, by a clock that nobody sets
-- balance  1 for a balance check, which tries whether a hold may end
-- answer   {ms to wait, slot or '': ask anew, reading, or '': the limiter was not asked}; 0: go

local pace = require('lib/pace')
local text = require('lib/text')
local holds = require('lib/holds')
local config = require('lib/config')
local limiter = require('lib/limiter')

local STOPPED = 5000 -- ms

local function run(call)
  local args = call.args
  if not args.balance and (holds.closed(call, 'auth') or holds.closed(call, 'provider_down')) then
    return { text.exact(STOPPED), '', '' }
  end
  config.read_all(call)
  local wait, slot = limiter.take_slot(call, 'check', tonumber(args.slot), args.holder)
  return { text.exact(wait), slot and text.exact(slot) or '', pace.reading(call) }
end

return { run = run }
