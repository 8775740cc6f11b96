-- Makes webhooks of what happened to the account since the last look, for each of its targets.
--
-- most    in this call
-- answer  how many account events were taken

local schema = require('schema')
local text = require('lib/text')
local webhooks = require('lib/webhooks')

local key = schema.key

local function run(call)
  local taken = redis.call('GET', key.events_taken(call))
  local found = redis.call('XRANGE', key.events(call), taken and '(' .. taken or '-', '+', 'COUNT', call.args.most)
  for _, entry in ipairs(found) do
    local id, fields = entry[1], text.pairs_of(entry[2])
    local told = string.match(fields.kind, '^alert%.') -- in the step that made it true
    if webhooks.targets(call) > 0 and not told then
      local at = tonumber(string.match(id, '^%d+'))
      webhooks.tell(call, { id = 'msg_notice-' .. id, type = fields.kind, at = at, facts = fields.facts })
    end
    redis.call('SET', key.events_taken(call), id)
  end
  return #found
end

return { run = run }
