-- Who changed the do-not-call list: in the audit log, and as an account event.

local audit = require('lib/audit')
local events = require('lib/events')

local M = {}

-- `entries`: how many changed. The target, note and facts (a JSON object) are the operation's own.
function M.tell(call, action, event, entries)
  local args = call.args
  local facts = cjson.decode(args.facts)
  facts.entries = entries
  audit.write(call, args.actor, action, args.target, args.note, facts)
  events.tell(call, event, { entries = entries, by = args.actor, at = call.now })
end

return M
