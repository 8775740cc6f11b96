-- Ends a job that is not dialled yet.
--
-- ARGV[2]  id
-- ARGV[3]  actor
-- ARGV[4]  why
-- answer   {'gone' | 'cancelled' | 'refused', state before}

local job = load(ARGV[2])
if not job then
  return { 'gone', '' }
end
local before = job.state
if not TRANSITIONS[before].cancelled then
  return { 'refused', before }
end
move(job, 'cancelled', '', nil, ARGV[3], ARGV[4])
return { 'cancelled', before }
