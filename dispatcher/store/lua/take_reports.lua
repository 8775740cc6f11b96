-- Takes reports that are to be applied, for one caller: they come again after a lease, so that two
-- callers share the work and what a dead one took is not lost.
--
-- ARGV[2]  most in this call
-- ARGV[3]  ms of the lease
-- answer   reports

local inbox = key('reports')
local reports = redis.call('ZRANGEBYSCORE', inbox, '-inf', NOW, 'LIMIT', 0, ARGV[2])
for _, report in ipairs(reports) do
  redis.call('ZADD', inbox, NOW + ARGV[3], report)
end
return reports
