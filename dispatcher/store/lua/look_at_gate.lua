-- Gives one caller the right to look whether a closed gate may open, on a growing interval.
--
-- ARGV[2]  gate
-- ARGV[3]  ms of the first interval; it doubles with every look
-- ARGV[4]  ms of the longest
-- answer   the gate as JSON, or nil: open, or not yet

local text = redis.call('HGET', key('gates'), ARGV[2])
if not text then
  return nil
end
local gate = cjson.decode(text)
if gate.look_at > NOW then
  return nil
end
gate.looks = gate.looks + 1
gate.look_at = NOW + math.min(ARGV[3] * 2 ^ (gate.looks - 1), ARGV[4])
redis.call('HSET', key('gates'), ARGV[2], cjson.encode(gate))
return text
