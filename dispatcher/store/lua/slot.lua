-- uses _limiter.lua
-- Asks for one request of the account's that is not a dial: a status check, a look at the balance.
--
-- ARGV[2]  holder: a name for the request, to give its connection back by
-- ARGV[3]  slot reserved by an earlier call for this holder, or ''
-- answer   {ms to wait, slot or '': ask anew}; 0: go

local wait, slot = take_slot('check', tonumber(ARGV[3]), ARGV[2])
return { exact(wait), slot and exact(slot) or '' }
