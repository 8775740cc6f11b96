-- uses _limiter.lua, _budget.lua
-- Keeps the balance that was seen, and what follows: gates that open, warnings. The provider has
-- answered and knows the account, so that one call may try whether calls work again, too.
--
-- ARGV[2]  balance, in units
-- ARGV[3]  spent, ARGV[4] guessed: the ledger as it stood when the look began (watch.lua)
-- ARGV[5]  ms until the next look while all is well
-- answer   what was told, as kind, facts (JSON), kind, facts, …

local RISEN = 1.1 -- times a level: above it, its warning may come again

local before = account()
local seen = tonumber(ARGV[2])
redis.call('HSET', CREDIT, 'balance', int(seen), 'seen', int(NOW), 'seen_spent', ARGV[3], 'guessed',
  int(math.max(0, before.guessed - ARGV[4])), 'misses', '0')

for _, name in ipairs({ 'auth', 'provider_down' }) do
  if GATES[name] and not GATES[name].ajar then
    set_ajar(name, 'the provider answers again: one call tries')
  end
end
if GATES.credit then
  reconsider_credit(LIMITS.floor)
end

-- The lowest level that the balance is at or below.
local low
for text in string.gmatch(LIMITS.warn or '', '[^,]+') do
  local level = tonumber(text)
  if seen <= level and (not low or level < low) then
    low = level
  end
end
local warned = tonumber(redis.call('HGET', CREDIT, 'warned') or nil)
if warned and seen > warned * RISEN then
  -- It rose above that level; it may still be below a higher one, which was told before.
  redis.call('HDEL', CREDIT, 'warned')
  if low then
    redis.call('HSET', CREDIT, 'warned', int(low))
  end
elseif low and (not warned or low < warned) then
  redis.call('HSET', CREDIT, 'warned', int(low))
  tell('credit.low', { balance = seen / UNITS, level = low / UNITS, at = NOW })
end

schedule_look(ARGV[5])
return TOLD_NOW
