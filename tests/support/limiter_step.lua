-- One step of somebody who makes requests, as tests of the limiter alone take it: asks for one, or says how it went.
--
-- holder   asks for a request of this name, `ahead` ms from now at most; 1 as `urgent`: for an urgent job
-- booked   says that the request of this booking was `late` ms late, and that its answer took `took` ms
-- reading, passed: as of `take`
-- answer   {what it is booked by or '', ms until it goes out or until to ask again, reading}

local pace = require('lib/pace')
local text = require('lib/text')
local limiter = require('lib/limiter')

local function ask(call)
  local at, again = limiter.next_request(call, tonumber(call.args.ahead), call.args.urgent)
  if at then
    limiter.book(call, at, call.args.holder, call.args.urgent)
  end
  return { at and text.micros(at) or '', text.exact(at and at - pace.time(call) or again), pace.reading(call) }
end

local function run(call)
  pace.follow(call)
  local answer = { '', '0', '' }
  if call.args.booked then
    limiter.answered(call, call.args.booked, tonumber(call.args.late), tonumber(call.args.took))
  else
    answer = ask(call)
  end
  pace.save(call)
  return answer
end

return { run = run }
