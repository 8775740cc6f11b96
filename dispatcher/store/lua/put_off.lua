-- Sets when a call that is still in progress is looked at next.
--
-- ARGV[2]  id
-- ARGV[3]  attempt
-- ARGV[4]  ms from now
-- ARGV[5]  the provider's word, or '': kept where it is new
-- ARGV[6]  the participants of a conference, or '': as the last look told
-- answer   1, or 0 where the job has moved on

local job = load(ARGV[2])
if not job or job.state ~= 'in_progress' or job.n ~= tonumber(ARGV[3]) then
  return 0
end
redis.call('ZADD', key('next', 'in_progress'), NOW + ARGV[4], job.id)
if ARGV[5] ~= '' then
  redis.call('HSET', key('job', job.id), 'outcome', ARGV[5])
end
if ARGV[6] ~= '' then
  replace(job.id, { int(job.n) .. '.legs', ARGV[6] })
end
return 1
