-- Learns when calls of a kind are usually over: a moving estimate of the span that SHARE of them stay
-- within. Each longer one moves it up, each shorter one down, in the ratio at which both happen equally
-- often just there; the steps are parts of it, so that it follows seconds and minutes alike.
--
-- ARGV[2]  kind of call
-- ARGV[3]  ms from the placing to the end of one
-- answer   the estimate, ms
-- retention: one number for each kind

local SHARE = 0.8
local STEP = 0.1
local LEAST = 1000 -- ms: a step of next to nothing would never end

local lasted = tonumber(ARGV[3])
local usual = tonumber(redis.call('HGET', key('usual'), ARGV[2]) or nil) or lasted
local step = STEP * math.max(usual, LEAST)
if lasted > usual then
  usual = math.min(lasted, usual + step * SHARE)
else
  usual = math.max(lasted, usual - step * (1 - SHARE))
end
redis.call('HSET', key('usual'), ARGV[2], int(usual))
return int(usual)
