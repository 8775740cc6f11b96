-- uses _audit.lua
-- Opens a gate; what it held is released by the next pump.
--
-- ARGV[2]  gate
-- ARGV[3]  why, in words
-- ARGV[4]  the person who opens it, or ''
-- answer   1 if it was closed

local opened = reopen(ARGV[2], ARGV[3])
if opened and ARGV[4] ~= '' then
  audit(ARGV[4], 'resume', ARGV[2], ARGV[3], {})
end
return opened and 1 or 0
