-- Tells what processes may not do in Redis or the broker, as they noted it lately.
--
-- answer  a process and its sentence in turn

local missing_rights = require('lib/missing_rights')

local function run(call)
  return missing_rights.current(call)
end

return { run = run, flags = { 'no-writes' } }
