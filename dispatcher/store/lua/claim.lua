-- Gives one worker the right to make one request for a job, and writes that it is about to.
-- The attempt's number is the fencing token: it is never given twice.
--
-- ARGV[2]  id
-- ARGV[3]  token of this claim: the same token asks again for the same answer (a lost reply)
-- ARGV[4]  ms of the lease
-- ARGV[5]  actor
-- answer   'gone' | state (nothing to do) | {now, attempt, record as field, value, …}

local id, token = ARGV[2], ARGV[3]
local job = load(id)
if not job then
  return 'gone'
end

local repeated = job.state == 'dialing' and redis.call('HGET', key('job', id), 'token') == token
if not repeated then
  if job.state ~= 'queued' then
    return job.state
  end
  if overdue(job) then
    move(job, 'expired', '', nil, ARGV[5], 'the deadline passed before it was dialled')
    return 'expired'
  end
  local gate = closed_gate()
  if gate then
    move(job, 'held', gate, job.expires, ARGV[5], gate_why(gate))
    return 'held'
  end
  job.n = job.n + 1
  put(id, { 'n', int(job.n), 'token', token, int(job.n) .. '.sent', int(NOW) })
  move(job, 'dialing', '', NOW + ARGV[4], ARGV[5], '')
end
return { int(NOW), job.n, redis.call('HGETALL', key('job', id)) }
