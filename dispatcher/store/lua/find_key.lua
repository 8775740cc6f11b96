-- Reads an API key, and the time by which it is judged.
--
-- ARGV[2]  id
-- answer   {ms since the epoch, field, value, …}; the time alone where there is no such key

local found = redis.call('HGETALL', key('apikey', ARGV[2]))
table.insert(found, 1, int(NOW))
return found
