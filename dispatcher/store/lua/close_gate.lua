-- uses _audit.lua
-- Closes a gate for the whole account, or adds to what is known of a closed one. A person adds nothing:
-- who closed it first, and why, stays to be read.
--
-- ARGV[2]  gate
-- ARGV[3]  why, in words
-- ARGV[4]  credits required, or ''
-- ARGV[5]  1 where the provider itself said so
-- ARGV[6]  the person who closes it, or ''
-- ARGV[7]  that person's own words
-- answer   1 if it was open

if ARGV[6] ~= '' and GATES[ARGV[2]] then
  return 0
end
local closed = shut(ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5] == '1')
if closed and ARGV[6] ~= '' then
  audit(ARGV[6], 'pause', ARGV[2], ARGV[7], {})
end
return closed and 1 or 0
