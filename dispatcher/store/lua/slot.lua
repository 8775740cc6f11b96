-- uses _limiter.lua
-- Asks for one request of the account's that is not a dial: a status check, a look at the balance.
-- While the provider is down or refuses the account, only a look may go out.
--
-- ARGV[2]  holder: a name for the request, to give its connection back by
-- ARGV[3]  slot reserved by an earlier call for this holder, or ''
-- ARGV[4]  1 for a look that tries whether a gate may open
-- answer   {ms to wait, slot or '': ask anew}; 0: go

local STOPPED = 5000

for _, name in ipairs({ 'auth', 'provider_down' }) do
  if ARGV[4] ~= '1' and GATES[name] and not GATES[name].ajar then
    return { exact(STOPPED), '' }
  end
end
local wait, slot = take_slot('check', tonumber(ARGV[3]), ARGV[2])
return { exact(wait), slot and exact(slot) or '' }
