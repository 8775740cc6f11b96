-- Says whether workers are to be woken, and counts on the caller to do it.
--
-- answer  the priority whose workers are told, or nil

local wakeup = require('lib/wakeup')

local function run(call)
  return wakeup.pass_on(call)
end

return { run = run }
