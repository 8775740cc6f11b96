-- Closes a gate for the whole account, or adds to what is known of a closed one.
--
-- ARGV[2]  gate
-- ARGV[3]  why, in words
-- ARGV[4]  credits required, or ''
-- ARGV[5]  1 where the provider itself said so
-- answer   1 if it was open

return shut(ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5] == '1') and 1 or 0
