-- Begins a migration, or goes on with one: from here on no operation of any schema does anything.
--
-- KEYS[1]  namespace, such as {vd}
-- ARGV[1]  token of this migration
-- ARGV[2]  ms for which nobody else may take it over
-- ARGV[3]  what stands in `schema` meanwhile
-- ARGV[4]  what every operation of 0.1.0 reads first, as a hash: a string there stops it
-- ARGV[5]  the schema that it leads to
-- ARGV[6]  now, ms since the epoch
-- ARGV[7…] signs of work: key, ms for which one is fresh beyond its score, key, ms, …
-- answer   {'begun'} | {'busy', ms until another migration is given up} | {'other', schema}: the records
--          are none of ours | {'work', key, until, ms since the epoch}: processes are at work

local root, token, now = KEYS[1], ARGV[1], tonumber(ARGV[6])
local lock, schema, barrier = root .. ':migration', root .. ':schema', root .. ':' .. ARGV[4]

local holder = redis.call('GET', lock)
if holder and holder ~= token then
  return { 'busy', redis.call('PTTL', lock) }
end
local found = redis.call('GET', schema)
if found and found ~= ARGV[3] and not (tonumber(found) and tonumber(found) <= tonumber(ARGV[5])) then
  return { 'other', found }
end
if found ~= ARGV[3] then
  for i = 7, #ARGV, 2 do
    local latest = redis.call('ZRANGE', root .. ':' .. ARGV[i], 0, 0, 'REV', 'WITHSCORES')[2]
    local fresh_until = latest and tonumber(latest) + ARGV[i + 1]
    if fresh_until and fresh_until > now then
      return { 'work', ARGV[i], string.format('%d', fresh_until) }
    end
  end
end
redis.call('SET', lock, token, 'PX', ARGV[2])
redis.call('SET', schema, ARGV[3])
if redis.call('TYPE', barrier).ok == 'hash' then
  redis.call('RENAME', barrier, root .. ':migration:' .. ARGV[4])
end
redis.call('SET', barrier, ARGV[3])
return { 'begun' }
