-- Sets the day that daily spending limits count; Redis knows no time zones. The first one of several
-- that set the same day begins it, with nothing spent.
--
-- ARGV[2]  starts, ms since the epoch
-- ARGV[3]  ends
-- ARGV[4]  zone

local day = caps()['@day']
if day and day[2] == tonumber(ARGV[3]) and day[3] == ARGV[4] then
  return 0
end
-- It counts from now on: where a limit was set in the middle of a day, what was dialled before is not its own.
redis.call('HSET', key('caps'), '@day', int(math.max(NOW, tonumber(ARGV[2]))) .. ' ' .. ARGV[3] .. ' ' .. ARGV[4])
redis.call('DEL', key('used', 'day'))
return 1
