-- Failures of the provider in a row start the hold `provider_down`: soon where nobody was called for
-- certain, since that is the provider's doing and no number's; where it is not certain, only after many
-- more, or where a balance check fails as well (ops/note_failed_balance_check.lua).
--
-- breaker  hash: `failures` in a row, and of these `certain` (nobody was called)

local schema = require('schema')
local config = require('lib/config')
local holds = require('lib/holds')

local M = {}

local key = schema.key
local UNCERTAIN = 10 -- times as many failures

function M.failures(call)
  return tonumber(redis.call('HGET', key.breaker(call), 'failures') or nil) or 0
end

function M.most(call)
  return config.number(call, schema.config.breaker_failures)
end

-- `certain`: nobody was called. The failed attempt is of the job `id`.
function M.count(call, certain, id, why)
  local name = key.breaker(call)
  call.breaker_is_reset = false
  local failures = redis.call('HINCRBY', name, 'failures', 1)
  local sure = redis.call('HINCRBY', name, 'certain', certain and 1 or 0)
  local hold, most = holds.get(call, 'provider_down'), M.most(call)
  if sure >= most or failures >= most * UNCERTAIN or (hold and hold.probe == id) then
    holds.start(call, 'provider_down', why)
  end
end

function M.reset(call)
  if not call.breaker_is_reset then
    redis.call('DEL', key.breaker(call))
    call.breaker_is_reset = true
  end
end

return M
