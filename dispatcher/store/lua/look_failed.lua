-- uses _limiter.lua
-- A look at the balance failed. Where calls fail as well, the provider is down. Where they work, a
-- balance that cannot be seen stops nobody: after some looks the budget no longer binds.
--
-- ARGV[2]  why, in words
-- ARGV[3]  ms until the next look while all is well
-- answer   what was told, as kind, facts (JSON), kind, facts, …

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
schedule_look(ARGV[3])
return TOLD_NOW
