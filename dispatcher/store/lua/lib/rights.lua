-- What the user of Redis may not do of what an operation does: it would stop half-way.

local schema = require('schema')

local M = {}

-- Whether a command may be used on our keys, or on our channels. Where a command takes no key, what is given
-- instead is not looked at.
local function may(call, command)
  local subject = schema.key.schema(call)
  return redis.acl_check_cmd(command, subject, subject, subject)
end

-- Returns rules of its ACL, such as '+zadd', for those of the commands that it may not use.
function M.missing(call)
  local missing = {}
  for _, command in ipairs(cjson.decode(call.args.commands)) do
    if not may(call, command) then
      local channel = command == 'PUBLISH' and ' &' .. call.root .. ':*' or ''
      missing[#missing + 1] = '+' .. string.lower(command) .. channel
    end
  end
  return missing
end

return M
