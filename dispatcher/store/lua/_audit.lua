-- The log of what people did. Stands before the operations that people ask for.
--
-- ns:audit  stream  `actor`, `act`, `target`, `why`, and `facts` (JSON); an entry's id is its moment
-- Retention: by age, see store/audit.py.

-- The ids go by the clock of the operation, and never back, so that a time is a range of them.
local function next_id()
  local last = redis.call('XREVRANGE', key('audit'), '+', '-', 'COUNT', 1)[1]
  local ms, place = string.match(last and last[1] or '0-0', '^(%d+)-(%d+)$')
  if tonumber(ms) >= NOW then
    return ms .. '-' .. int(place + 1)
  end
  return int(NOW) .. '-0'
end

local function audit(actor, act, target, why, facts)
  local text = next(facts) and cjson.encode(facts) or '{}'
  redis.call('XADD', key('audit'), next_id(), 'actor', one_word(actor), 'act', act, 'target', target,
    'why', why, 'facts', text)
end
