-- Notes what a process may not do in Redis or the broker, or that it may do everything again.
--
-- process  its name
-- says     the sentence that names the right; left out: it lacks none
-- retention: MISSING_RIGHT_SHOWN after the latest note

local schema = require('schema')
local missing_rights = require('lib/missing_rights')
local text = require('lib/text')

local key = schema.key

local function run(call)
  local name, process = key.missing_rights(call), call.args.process
  redis.call('HDEL', name, process, unpack(missing_rights.outdated(call)))
  if call.args.says then
    redis.call('HSET', name, process, text.int(call.now) .. ' ' .. call.args.says)
    redis.call('PEXPIRE', name, schema.missing_right_shown)
  end
end

return { run = run }
