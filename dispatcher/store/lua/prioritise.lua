-- Changes the priority of a job that is not dialled yet.
--
-- ARGV[2]  id
-- ARGV[3]  priority
-- ARGV[4]  actor
-- ARGV[5]  why
-- answer   {'gone' | 'changed' | 'refused', state}

local job = load(ARGV[2])
if not job then
  return { 'gone', '' }
elseif job.state ~= 'scheduled' and job.state ~= 'queued' and job.state ~= 'held' then
  return { 'refused', job.state }
end
local next_at = redis.call('ZSCORE', key('next', job.state), job.id) or nil
if redis.call('ZSCORE', key('fed'), job.id) then
  next_at = job.expires -- its message is forgotten: it stands in line anew
end
leave(job)
job.prio = ARGV[3]
redis.call('HSET', key('job', job.id), 'prio', job.prio)
arrive(job, next_at)
note(job, ARGV[4], 'priority ' .. job.prio .. (ARGV[5] ~= '' and ': ' .. ARGV[5] or ''))
return { 'changed', job.state }
