-- uses _audit.lua, _acts.lua
-- Does what a person asked for to one job, and writes it down.
--
-- ARGV[2]  act
-- ARGV[3]  id
-- ARGV[4]  actor
-- ARGV[5]  why
-- ARGV[6]  wish, JSON (see _acts.lua)
-- answer   {'' or why it is refused, state before, reason before}

local act, job, wish = ARGV[2], load(ARGV[3]), cjson.decode(ARGV[6])
if not job then
  return { 'gone', '', '' }
end
local state, reason = job.state, job.reason or ''
local refusal = ACTS[act].refuses(job, wish)
if not refusal then
  ACTS[act].perform(job, wish, ARGV[4], ARGV[5])
  audit(ARGV[4], act, 'job:' .. job.id, ARGV[5], { before = kind_of(state, reason), priority = wish.priority })
end
return { refusal or '', state, reason }
