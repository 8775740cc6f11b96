-- When the balance is checked next: on a backoff while a hold stands that a check may end.

local schema = require('schema')
local text = require('lib/text')
local credits = require('lib/credits')

local M = {}

local credit = schema.credit
local FIRST, LONGEST = 2000, 60000 -- ms

-- Soon where credit alone is missing, since a top-up is what everybody waits for.
M.LONGEST_FOR_CREDIT = 8000 -- ms

-- Holds that a balance check may end, and in how many ms the first one comes; then on a backoff.
M.MAY_END = { credit = 0, auth = 2000, provider_down = 2000 }

function M.backoff(checks, longest)
  return math.min(FIRST * 2 ^ checks, longest or LONGEST)
end

function M.schedule(call, checks, wait)
  credits.set(call, credit.checks, text.int(checks), credit.next_check, text.int(call.now + wait))
end

-- A hold was started (`new`), or its probe failed.
function M.schedule_for_hold(call, name, new)
  local reason = string.match(name, '^[^:]+')
  local first = M.MAY_END[reason]
  if first and new then
    M.schedule(call, 0, first)
  elseif first then
    local checks = credits.read(call).checks
    M.schedule(call, checks + 1, M.backoff(checks, reason == 'credit' and M.LONGEST_FOR_CREDIT or nil))
  end
end

return M
