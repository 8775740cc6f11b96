-- Takes in what was reported of calls, and counts. What is the same word for word is kept once.
--
-- ARGV[2]  counts to add, as JSON: name -> number
-- ARGV[3…] reports
-- answer   how many were new
-- Retention: a report until it is applied (apply_reports); the counts for good.

for name, number in pairs(cjson.decode(ARGV[2])) do
  redis.call('HINCRBY', key('counts'), name, int(number))
end
local new = 0
for i = 3, #ARGV do
  new = new + redis.call('ZADD', key('reports'), 'NX', NOW, ARGV[i])
end
return new
