-- uses _audit.lua
-- Sets what may be spent within a scope. What was counted so far stays where a limit only changes.
--
-- ARGV[2]  scope: tag:<tag> or client:<producer>
-- ARGV[3]  units, or '': no limit any more
-- ARGV[4]  day or total
-- ARGV[5]  the person who sets it, or ''
-- ARGV[6]  why
-- answer   1 if there was a limit

local scope, standing = ARGV[2], caps()[ARGV[2]]
if ARGV[3] == '' or (standing and standing[3] ~= ARGV[4]) then
  redis.call('HDEL', key('used', 'day'), scope)
  redis.call('HDEL', key('used', 'total'), scope)
end
if ARGV[3] == '' then
  redis.call('HDEL', key('caps'), scope)
else
  -- From the next ms on, so that a call that is claimed in this one is either counted twice, or never.
  local since = standing and standing[3] == ARGV[4] and standing[2] or NOW + 1
  redis.call('HSET', key('caps'), scope, ARGV[3] .. ' ' .. int(since) .. ' ' .. ARGV[4])
end
if ARGV[5] ~= '' and (standing or ARGV[3] ~= '') then
  local function shown(amount, period)
    return amount and credits(amount) .. '/' .. period
  end
  audit(ARGV[5], ARGV[3] == '' and 'limit.clear' or 'limit.set', scope, ARGV[6], {
    before = standing and shown(standing[1], standing[3]), limit = shown(tonumber(ARGV[3]), ARGV[4]),
  })
end
return standing and 1 or 0
