-- Notes which replicas the server has that this runs on.
--
-- master  its replication id
-- online  1 if it has a replica that is in step, or was a moment ago
-- answer  as of needed_replicas

local needed_replicas = require('ops/needed_replicas')
local replicas = require('lib/replicas')

local function run(call)
  replicas.note(call, call.args.master, call.args.online ~= nil)
  return needed_replicas.run(call)
end

return { run = run }
