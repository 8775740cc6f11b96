-- Sets the window of time in which a queued job may be dialled; where it is not open now, the job waits.
--
-- ARGV[2]  id
-- ARGV[3]  opens, ms since the epoch, or '': never
-- ARGV[4]  closes, ms
-- ARGV[5]  actor
-- ARGV[6]  why, in words
-- ARGV[7]  the calling hours that the window comes from
-- answer   state

local job = load(ARGV[2])
if not job then
  return 'gone'
elseif job.state ~= 'queued' then
  return job.state
end
if ARGV[3] == '' then
  move(job, 'failed', 'not_allowed', nil, ARGV[5], ARGV[6])
  return job.state
end
redis.call('HSET', key('job', job.id), 'opens', ARGV[3], 'closes', ARGV[4], 'within', ARGV[7])
if NOW < tonumber(ARGV[3]) then
  schedule(job, tonumber(ARGV[3]), ARGV[5], ARGV[6])
end
return job.state
