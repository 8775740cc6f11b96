-- Makes webhooks of what happened to the account since the last look, for each of its targets.
--
-- ARGV[2]  most in this call
-- answer   how many notices were taken

local from = redis.call('GET', key('hooks', 'notices'))
local found = redis.call('XRANGE', key('notices'), from and '(' .. from or '-', '+', 'COUNT', ARGV[2])
for _, notice in ipairs(found) do
  local id, fields = notice[1], {}
  for i = 1, #notice[2], 2 do
    fields[notice[2][i]] = notice[2][i + 1]
  end
  if told().targets > 0 then
    local at = tonumber(string.match(id, '^%d+'))
    tell_targets({ id = 'msg_notice-' .. id, type = fields.kind, at = at, facts = fields.facts })
  end
  redis.call('SET', key('hooks', 'notices'), id)
end
return #found
