-- Sets when the cost of an ended job is looked for again, which its end did not tell.
--
-- ARGV[2]  id
-- ARGV[3]  attempt
-- ARGV[4]  ms until the next look, or '': there is none
-- answer   1, or 0 where it owes none (any more)

local id = ARGV[2]
local job = load(id)
local owed = job and redis.call('HGET', key('job', id), 'owed')
if not owed or job.n ~= tonumber(ARGV[3]) then
  return 0
end
write_off(id)
if ARGV[4] ~= '' then
  redis.call('HSET', key('job', id), 'owed', ARGV[4])
  redis.call('ZADD', key('next', 'cost'), NOW + ARGV[4], id)
end
return 1
