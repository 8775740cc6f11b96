-- Revokes an API key.
--
-- id
-- actor   the person who revokes it, if any
-- note
-- answer  'gone' | 'revoked' | 'already'

local schema = require('schema')
local text = require('lib/text')
local audit = require('lib/audit')

local field = schema.api_key

local function run(call)
  local args, key = call.args, schema.key.api_key(call, call.args.id)
  local name = redis.call('HGET', key, field.name)
  if not name then
    return 'gone'
  elseif redis.call('HSETNX', key, field.revoked, text.int(call.now)) == 0 then
    return 'already'
  end
  if args.actor then
    audit.write(call, args.actor, 'keys.revoke', 'key:' .. args.id, args.note, { name = name })
  end
  return 'revoked'
end

return { run = run, flags = { 'allow-oom' } }
