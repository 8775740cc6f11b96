-- Writes down what a person did, where no operation of its own writes it down.
--
-- actor, action, target, note
-- facts   a JSON object

local audit = require('lib/audit')

local function run(call)
  local args = call.args
  audit.write(call, args.actor, args.action, args.target, args.note, cjson.decode(args.facts))
  return 1
end

return { run = run, flags = { 'allow-oom' } } -- who makes room must be able to say so
