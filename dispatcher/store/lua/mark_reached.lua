-- Ends a job whose outcome nobody can know as reached: a person has asked the one who was called.
--
-- ARGV[2]  id
-- ARGV[3]  actor
-- ARGV[4]  why
-- answer   {'gone' | 'marked' | 'refused', state before, reason before}

local job = load(ARGV[2])
if not job then
  return { 'gone', '', '' }
end
local before, reason = job.state, job.reason or ''
if before ~= 'uncertain' and not (before == 'failed' and reason == 'outcome_unknown') then
  return { 'refused', before, reason }
end
replace(job.id, { 'outcome', 'MARKED AS REACHED' })
move(job, 'completed', 'marked_reached', nil, ARGV[3], ARGV[4])
return { 'marked', before, reason }
