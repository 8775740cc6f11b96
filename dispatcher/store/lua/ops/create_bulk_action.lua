-- Keeps what was selected for a bulk action, so that it can be started; one that is there is left as it is.
--
-- id
-- written_to  where the ids were written: the last part of the name of a list
-- kept_for    ms
-- fields      a JSON object 
-- answer      1, or 0 where there is one already

local schema = require('schema')
local bulk = require('lib/bulk')

local function run(call)
  local ids = schema.key.bulk_action_ids(call, call.args.id, call.args.written_to)
  if redis.call('EXISTS', bulk.name(call)) == 1 then
    redis.call('DEL', ids)
    return 0
  end
  local flat = { schema.bulk.state, 'previewed' }
  for name, value in pairs(cjson.decode(call.args.fields)) do
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
  redis.call('HSET', bulk.name(call), unpack(flat))
  redis.call('PEXPIRE', bulk.name(call), call.args.kept_for)
  if redis.call('EXISTS', ids) == 1 then
    redis.call('RENAME', ids, bulk.ids(call))
    redis.call('PEXPIRE', bulk.ids(call), call.args.kept_for)
  end
  return 1
end

return { run = run }
