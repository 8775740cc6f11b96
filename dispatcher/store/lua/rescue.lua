-- Recovers what a dead worker left. Its claim wrote that it was about to send, so the call may have
-- been placed: the job becomes uncertain.
--
-- ARGV[2]  most in this call
-- ARGV[3]  ms of the evidence window where a job has none of its own (field `window`, in ms)
-- answer   how many were recovered

local lapsed = come('dialing', ARGV[2])
for _, job in ipairs(lapsed) do
  local attempt = int(job.n)
  local window = redis.call('HGET', key('job', job.id), 'window') or ARGV[3]
  redis.call('ZREM', key('connections'), job.id)
  put(job.id, { attempt .. '.result', 'maybe_placed', 'spent', int(job.spent + 1) })
  move(job, 'uncertain', '', NOW + window, 'dispatcher',
    'the worker was lost; the call may have been placed')
end
return #lapsed
