-- uses _audit.lua, _bulk.lua
-- Begins an act on many jobs that was proposed; once, however often it is asked for.
--
-- ARGV[2]  act's id
-- ARGV[3]  actor
-- ARGV[4]  why
-- ARGV[5]  ms of the lease: how long nobody else looks after it
-- answer   'begun' | 'stands' (it was begun already) | 'gone' (never proposed, or too long ago)

local act = read_act()
if not act.state then
  return 'gone'
elseif act.state ~= 'created' then
  return 'stands'
end
redis.call('HSET', ACT, 'state', 'running', 'actor', ARGV[3], 'why', ARGV[4], 'begun', int(NOW))
redis.call('ZADD', key('acts'), NOW, ARGV[2])
if redis.call('EXISTS', IDS) == 0 then
  close('done') -- nothing was chosen: nobody did anything
  return 'begun'
end
redis.call('PERSIST', ACT)
redis.call('PERSIST', IDS)
look_after(ARGV[5])
audit(ARGV[3], act.what, act.meant, ARGV[4], {
  act = ARGV[2], matched = tonumber(act.matched), chosen = tonumber(act.chosen), credits = tonumber(act.credits),
})
return 'begun'
