-- uses _limiter.lua
-- Gives back the connection of a request that slot.lua granted.
--
-- ARGV[2]  holder

give_back(ARGV[2])
