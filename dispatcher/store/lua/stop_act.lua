-- uses _audit.lua, _bulk.lua
-- Ends an act early: what it did stays done, the rest is left as it is.
--
-- ARGV[2]  act's id
-- ARGV[3]  actor
-- ARGV[4]  why
-- answer   state before, or 'gone'

local act = read_act()
if act.state == 'running' then
  finish(act, 'stopped', ARGV[3], ARGV[4])
end
return act.state or 'gone'
