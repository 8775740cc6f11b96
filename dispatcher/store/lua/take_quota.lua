-- Counts uses of an API key against its rate: GCRA, a whole period's worth at once.
--
-- ARGV[2]  id of the key
-- ARGV[3]  uses that are wanted; negative: that many are given back
-- ARGV[4]  most uses in a period
-- ARGV[5]  the period in ms
-- answer   {uses granted, ms until one more is}
-- Retention: ns:quota:<id> until all of it is free again.

local wanted, period = tonumber(ARGV[3]), tonumber(ARGV[5])
local each = period / tonumber(ARGV[4])
local name = key('quota', ARGV[2])
local free_at = math.max(EXACT, tonumber(redis.call('GET', name) or nil) or 0)
-- A little more than nothing is one: what rounding took of it.
local granted = wanted
if wanted > 0 then -- after a clock that stepped back there is less than nothing to grant
  granted = math.max(0, math.min(wanted, math.floor((EXACT + period - free_at) / each + 0.001)))
end
free_at = free_at + granted * each
if free_at > EXACT then
  redis.call('SET', name, string.format('%.3f', free_at), 'PX', math.ceil(free_at - EXACT))
else
  redis.call('DEL', name)
end
return { granted, string.format('%.3f', math.max(0, free_at + each - period - EXACT)) }
