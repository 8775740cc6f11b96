-- Reads from several keys in one step. A full Redis refuses every command between MULTI and EXEC, also those
-- that only read (Valkey does not); this it allows.
--
-- reads   a JSON list of commands that read, each a list of its name and arguments
-- answer  what each of them answers

local function run(call)
  local answers = {}
  for i, read in ipairs(cjson.decode(call.args.reads)) do
    answers[i] = redis.call(unpack(read))
  end
  return answers
end

return { run = run, flags = { 'no-writes' } }
