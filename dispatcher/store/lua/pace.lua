-- uses _limiter.lua
-- Where the limiter and the lines stand.
--
-- answer   {configured rate or '', working rate or '', ms until the next free slot, requests under way,
--          then for urgent, normal and bulk: ready jobs, lines; then fed}

local found = {
  RATE and tostring(RATE) or '',
  RATE and tostring(working_rate()) or '',
  exact(math.max(0, math.max(PACE.tat, PACE.blocked) - EXACT)),
  redis.call('ZCOUNT', key('connections'), NOW, '+inf'),
}
for _, priority in ipairs(PRIORITIES) do
  local lines, ready = redis.call('ZRANGE', key('lines', priority), 0, -1), 0
  for _, line in ipairs(lines) do
    ready = ready + redis.call('ZCARD', key('ready', priority, line))
  end
  found[#found + 1] = ready
  found[#found + 1] = #lines
end
found[#found + 1] = redis.call('ZCARD', key('fed'))
return found
