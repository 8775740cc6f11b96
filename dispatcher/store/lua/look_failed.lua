-- uses _limiter.lua, _budget.lua
-- A look at the balance failed. Where calls fail as well, the provider is down. Where they work, a
-- balance that cannot be seen stops nobody: after some looks the budget no longer binds, and behind any
-- gate one call tries what looks cannot tell.
--
-- ARGV[2]  why, in words
-- ARGV[3]  ms until the next look while all is well
-- ARGV[4]  1 where the provider refuses the account: it would refuse a call as well
-- answer   what was told, as kind, facts (JSON), kind, facts, …

local IN_VAIN = 6 -- looks at a closed gate, in two minutes: then a call tries

local misses = redis.call('HINCRBY', CREDIT, 'misses', 1)
local row = failures()
if row >= most_failures() then
  shut('provider_down', ARGV[2])
end
local gate = GATES.credit
if misses >= BLIND_AFTER and gate and not gate.ajar and not GATES.auth and not GATES.provider_down then
  local words = 'the balance cannot be seen: one call tries'
  if gate.refused then
    set_ajar('credit', words)
  else
    reopen('credit', 'the balance cannot be seen')
  end
end
for _, name in ipairs({ 'auth', 'provider_down' }) do
  if GATES[name] and not GATES[name].ajar and account().looks >= IN_VAIN and ARGV[4] ~= '1' then
    set_ajar(name, 'the balance cannot be seen: one call tries')
  end
end
schedule_look(ARGV[3])
return TOLD_NOW
