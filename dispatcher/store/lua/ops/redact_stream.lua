-- Writes a stream anew with some of its entries changed: an entry cannot be changed in place. All ids stay.
-- Takes about 10 µs an entry.
--
-- stream   `audit` or `events`
-- entries  a JSON object: id -> its fields, by name
-- answer   how many entries were changed
--
-- Retention: that of the stream.

local schema = require('schema')

local PAGE = 500

-- The fields of an entry, changed where they are to be.
local function changed(fields, by)
  for place = 1, by and #fields or 0, 2 do
    fields[place + 1] = by[fields[place]] or fields[place + 1]
  end
  return fields
end

local function run(call)
  local entries = cjson.decode(call.args.entries)
  local name = call.args.stream == 'audit' and schema.key.audit(call) or schema.key.events(call)
  local anew, low, count = name .. ':anew', '-', 0
  redis.call('DEL', anew)
  while low do
    local page = redis.call('XRANGE', name, low, '+', 'COUNT', PAGE)
    for _, entry in ipairs(page) do
      count = count + (entries[entry[1]] and 1 or 0)
      redis.call('XADD', anew, entry[1], unpack(changed(entry[2], entries[entry[1]])))
    end
    low = page[PAGE] and '(' .. page[PAGE][1]
  end
  if count > 0 then
    redis.call('RENAME', anew, name)
  else
    redis.call('DEL', anew)
  end
  return count
end

return { run = run, flags = { 'allow-oom' } } -- who makes room must be able to
