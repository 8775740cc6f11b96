-- uses _audit.lua, _acts.lua
-- Says what an act would do to jobs, and changes nothing.
--
-- ARGV[2]  act
-- ARGV[3]  wish, JSON (see _acts.lua)
-- ARGV[4…] ids
-- answer   for each id: why it would be refused, or '', or '?' where it is not and somebody may have been
--          called already; and the tariff, or ''

local refuses, wish = ACTS[ARGV[2]].refuses, cjson.decode(ARGV[3])
local answers = {}
for i = 4, #ARGV do
  local job = load(ARGV[i])
  local refusal = not job and 'gone' or refuses(job, wish)
  answers[#answers + 1] = refusal or (unknown(job) and '?' or '')
  answers[#answers + 1] = job and job.tariff or ''
end
return answers
