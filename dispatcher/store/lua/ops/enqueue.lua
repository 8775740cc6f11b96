-- Writes new jobs, each once for its id.
--
-- actor
-- most_jobs, most_bytes  how many jobs of the actor may wait, and how many bytes they may take; none: no
--         matter
-- durable 1 if the producer is answered only when replicas have it, and else the job is withdrawn
-- jobs    a JSON list of rows (see lib/intake.lua)
-- answer  for each 'new', 'same' (this very request was enqueued already), 'other' (another request has
--         the id), 'purged' (the message made a job before, which is purged), what of its numbers is not
--         called ('country:JM', 'type:premium', 'listed:818012345678'), a language that the provider refuses
--         ('language:cy'), or 'jobs' or 'bytes' (no more of them may wait); of the last five nothing is
--         written

local intake = require('lib/intake')
local existing = require('lib/existing')

local function run(call)
  local answers, rows = {}, cjson.decode(call.args.jobs)
  existing.look_for(call, rows)
  for i, row in ipairs(rows) do
    answers[i] = intake.write(call, row, call.args.actor)
  end
  return answers
end

return { run = run }
