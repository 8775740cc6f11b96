-- Reads some of the jobs that stand in indexes by creation, all in one step: a job that goes from one to another
-- meanwhile would be found in neither.
--
-- indexes  a JSON list of pairs: `by_state` or `by_tag`, and the state or tag
-- first    a place (lib/pages.lua), or left out: those from there on
-- below    a place, or left out: those before it
-- most     of each
-- oldest   1: the oldest come first, else the newest
-- answer   for each index a list: id, created, id, created, …

local pages = require('lib/pages')

local function run(call)
  local args, answer = call.args, {}
  local read = args.oldest and pages.oldest or pages.newest
  for i, index in ipairs(cjson.decode(args.indexes)) do
    answer[i] = read(call, index[1], index[2], args.first or '', args.below or '', tonumber(args.most))
  end
  return answer
end

return { run = run, flags = { 'no-writes' } }
