-- Changes the reason of an entry of the do-not-call list, if it still is the known one.
--
-- hash, scope
-- known, reason
-- answer  1 if it was

local do_not_call = require('lib/do_not_call')

local function run(call)
  local args = call.args
  local found = do_not_call.read(call, args.hash)
  local entry = found and found.entries[args.scope]
  if not entry or entry.reason ~= args.known then
    return 0
  end
  entry.reason = args.reason
  do_not_call.write(call, args.hash, found)
  return 1
end

return { run = run, flags = { 'allow-oom' } }
