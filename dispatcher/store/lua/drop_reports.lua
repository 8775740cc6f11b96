-- Drops reports that were applied, and counts what became of them.
--
-- ARGV[2]  counts to add, as JSON: name -> number
-- ARGV[3…] reports
-- answer   how many were dropped

for name, number in pairs(cjson.decode(ARGV[2])) do
  redis.call('HINCRBY', key('counts'), name, int(number))
end
local dropped = 0
for i = 3, #ARGV do
  dropped = dropped + redis.call('ZREM', key('reports'), ARGV[i])
end
return dropped
