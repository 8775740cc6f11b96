-- The languages of texts: the account's own, and those that the provider has refused.
--
-- refused_languages  hash: language -> when it was refused (ms); counts for refused_language_kept after that

local schema = require('schema')
local text = require('lib/text')
local config = require('lib/config')

local M = {}

local key, field = schema.key, schema.field

-- In which language a request's text is said; nil: it has none.
function M.of(call, fields)
  if fields[field.say] or fields[field.code] then
    return fields[field.language] or config.get(call, schema.config.language)
  end
end

function M.note_refusal(call, language)
  redis.call('HSET', key.refused_languages(call), language, text.int(call.now))
end

-- When, or nil; of many requests in one step it is read once.
local function refused_at(call, language)
  call.refused_languages = call.refused_languages or {}
  local at = call.refused_languages[language]
  if at == nil then
    at = tonumber(redis.call('HGET', key.refused_languages(call), language) or nil) or false
    call.refused_languages[language] = at
  end
  return at or nil
end

-- The language of a request that the provider has refused of late, if it has.
function M.refusal(call, fields)
  local language = M.of(call, fields)
  local at = language and refused_at(call, language)
  local age = at and call.now - at
  return age and age >= 0 and age < schema.refused_language_kept and language or nil
end

return M
