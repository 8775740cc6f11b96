-- Takes jobs whose next moment has come, for one caller: the moment is put off by a lease, so that
-- two callers share the work and what a dead one took comes again.
--
-- ARGV[2]  in_progress (a check is due), uncertain (the evidence window is over), or cost (that of an
--          ended job is to be looked for)
-- ARGV[3]  most in this call
-- ARGV[4]  ms of the lease
-- answer   ids

local ids = {}
for _, job in ipairs(come(ARGV[2], ARGV[3])) do
  redis.call('ZADD', key('next', ARGV[2]), NOW + ARGV[4], job.id)
  ids[#ids + 1] = job.id
end
return ids
