-- Reopens an ended job that did not reach anybody: a deliberate new attempt, all history kept.
-- The count of spent attempts starts anew, and so does the deadline, by its first length or a new one.
--
-- ARGV[2]  id
-- ARGV[3]  actor
-- ARGV[4]  why
-- ARGV[5]  ms until the new deadline, or '' for the length of the first
-- answer   {'gone' | 'queued' | 'refused', state before}

local job = load(ARGV[2])
if not job then
  return { 'gone', '' }
end
local before = job.state
if not TERMINAL[before] or not TRANSITIONS[before].queued then
  return { 'refused', before }
end
local span = tonumber(ARGV[5]) or job.span
local name = key('job', job.id)
job.due = NOW
if span then
  job.expires = NOW + span
  redis.call('HSET', name, 'expires', int(job.expires), 'span', int(span))
end
redis.call('HSET', name, 'spent', '0', 'since', int(job.n))
write_off(job.id)
redis.call('HDEL', name, 'finished', 'outcome', 'duration')
move(job, 'queued', '', job.expires, ARGV[3], ARGV[4])
return { 'queued', before }
