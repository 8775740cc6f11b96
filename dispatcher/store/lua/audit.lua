-- uses _audit.lua
-- Writes down an act of a person that no operation of its own writes down.
--
-- ARGV[2]  actor
-- ARGV[3]  act
-- ARGV[4]  what was acted on
-- ARGV[5]  why
-- ARGV[6]  facts, a JSON object

audit(ARGV[2], ARGV[3], ARGV[4], ARGV[5], cjson.decode(ARGV[6]))
return 1
