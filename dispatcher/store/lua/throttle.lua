-- uses _limiter.lua
-- The provider answered 429: the whole account's next request moves to when it said, and the working
-- rate drops, once for all those who were told the same. It comes back slowly.
--
-- ARGV[2]  ms to wait, as the provider said
-- ARGV[3]  fraction of the working rate that is left
-- answer   the working rate now, requests per second, or '' without a limit

local SAME = 1000 -- ms within which 429s tell the same
local LEAST = 0.1

local until_ = math.max(PACE.blocked, EXACT + ARGV[2])
redis.call('HSET', key('pace'), 'blocked', exact(until_), 'tat', exact(math.max(PACE.tat, until_)))
if not RATE then
  return ''
end
if EXACT - PACE.since > SAME then
  local fraction = math.max(LEAST, working_rate() / RATE * ARGV[3])
  redis.call('HSET', key('pace'), 'fraction', tostring(fraction), 'since', exact(EXACT))
  return exact(RATE * fraction)
end
return exact(working_rate())
