-- Opens a gate; what it held is released by the next pump.
--
-- ARGV[2]  gate
-- ARGV[3]  why, in words
-- answer   1 if it was closed

return reopen(ARGV[2], ARGV[3]) and 1 or 0
