-- Removes an ended job and everything that points to it.
--
-- ARGV[2]  id
-- ARGV[3]  ms since the epoch: only if it ended before
-- answer   1 if it is gone

local id = ARGV[2]
local job = load(id)
if not job then
  return 0
end
local finished = tonumber(redis.call('HGET', key('job', id), 'finished') or nil)
if not finished or finished >= tonumber(ARGV[3]) then
  return 0
end
leave(job)
for tag in string.gmatch(whole(id, 'tags'), '[^,]+') do
  redis.call('ZREM', key('tag', tag), id)
end
for digits in string.gmatch(whole(id, 'to'), '%d+') do
  redis.call('ZREM', key('recipients'), string.reverse(digits) .. ':' .. id)
end
for attempt = 1, job.n do
  for callid in string.gmatch(whole(id, int(attempt) .. '.callid'), '[^,]+') do
    redis.call('HDEL', calls_key(callid), callid)
  end
end
write_off(id)
redis.call('DEL', key('job', id))
return 1
