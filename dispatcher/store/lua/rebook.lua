-- uses _limiter.lua
-- A granted request goes out only now, later than it was booked for: its period begins anew. Whatever
-- held it up, the requests after it keep their distance from it.
--
-- ARGV[2]  moment it was booked at, as claim.lua told
-- answer   moment it is booked at now

if RATE then
  redis.call('LREM', key('recent'), -1, ARGV[2])
  book()
end
return exact(EXACT)
