-- What the user of Redis may not do of what an operation does: it would stop half-way.

local schema = require('schema')

local M = {}

local words_of = { ['FUNCTION|LOAD'] = { 'FUNCTION', 'LOAD' } }

-- Commands whose subject is a channel.
local of_channels = { PUBLISH = true, SUBSCRIBE = true }

-- Whether a command may be used on our keys, or on our channels. Where a command takes no key, what is given
-- instead is not looked at.
local function may(call, command)
  local words, subject = words_of[command] or { command }, schema.key.schema(call)
  return redis.acl_check_cmd(words[1], words[2] or subject, subject, subject)
end

-- Returns rules of its ACL, such as '+zadd', for those of the commands that it may not use.
function M.missing(call)
  local missing = {}
  for _, command in ipairs(cjson.decode(call.args.commands)) do
    if not may(call, command) then
      local channels = of_channels[command] and ' &' .. call.root .. ':*' or ''
      missing[#missing + 1] = '+' .. string.lower(command) .. channels
    end
  end
  return missing
end

return M
