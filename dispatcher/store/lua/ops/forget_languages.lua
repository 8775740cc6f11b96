-- Forgets that the provider refused languages: the next text in one of them is tried.
--
-- languages  a JSON list; empty: all
-- actor      the person who has them forgotten
-- note
-- answer     the languages that were forgotten

local schema = require('schema')
local audit = require('lib/audit')

local function run(call)
  local args, refused, gone = call.args, schema.key.refused_languages(call), {}
  local meant = cjson.decode(args.languages)
  for _, language in ipairs(meant[1] and meant or redis.call('HKEYS', refused)) do
    if redis.call('HDEL', refused, language) == 1 then
      gone[#gone + 1] = language
    end
  end
  if gone[1] then
    table.sort(gone)
    audit.write(call, args.actor, 'languages.forget', table.concat(gone, ' '), args.note, {})
  end
  return gone
end

return { run = run }
