-- What the user of Redis may not do of all that the operations do: they would stop in the middle.

local schema = require('schema')
local commands = require('commands')

local M = {}

-- Whether a command may be used on our keys, or on our channels. Where a command takes no key, what is given
-- instead is not looked at.
local function may(call, command)
  local subject = schema.key.schema(call)
  return redis.acl_check_cmd(command, subject, subject, subject)
end

-- Returns rules of its ACL, such as '+zadd'; none where nothing is missing.
function M.missing(call)
  local missing = {}
  for _, command in ipairs(commands.used) do
    if not may(call, command) then
      local channel = command == 'PUBLISH' and ' &' .. call.root .. ':*' or ''
      missing[#missing + 1] = '+' .. string.lower(command) .. channel
    end
  end
  return missing
end

return M
