-- The do-not-call list: numbers that are not to be called, each under its keyed hash, so that the list may hold
-- somebody whose number it does not know, and be handed on without telling whose numbers these are.
--
-- do_not_call       hash: `key` -> 40 hex digits that the hashes are keyed with, for good; and of each number
--                   its hash, HMAC-SHA1 of the number in E.164 -> JSON { to (digits; absent: the hash alone is
--                   known), entries: scope -> { reason, by, at, ends (absent: never) } }, moments in ms.
--                   A scope is a tag, or '' for all jobs.
-- do_not_call_ends  zset: hash by when the first of its entries ends
-- Retention: an entry that has ended counts for nothing any more, and goes with ops/end_do_not_call.lua.

local schema = require('schema')
local text = require('lib/text')
local config = require('lib/config')
local record = require('lib/record')
local same_line = require('lib/same_line')

local M = {}

local key, field, KEY = schema.key, schema.field, schema.do_not_call_key
local BLOCK = 64 -- bytes: SHA-1's
local INNER, OUTER, BYTE = {}, {}, {} -- constants, made when first needed: while it loads, a library has no `string`

local function make_constants()
  for code = 0, 255 do
    local char = string.char(code)
    INNER[char] = string.char(bit.bxor(code, 0x36))
    OUTER[char] = string.char(bit.bxor(code, 0x5c))
    BYTE[string.format('%02x', code)] = char
  end
end

-- The two keys that HMAC makes of one; made once for a key, since that is most of the work.
local pads = {}

local function pads_of(secret)
  if pads.secret ~= secret then
    if not BYTE['00'] then
      make_constants()
    end
    local block = secret .. string.rep('\0', BLOCK - #secret)
    pads = { secret = secret, inner = string.gsub(block, '.', INNER), outer = string.gsub(block, '.', OUTER) }
  end
  return pads
end

local function secret_of(call)
  call.do_not_call_secret = call.do_not_call_secret or redis.call('HGET', key.do_not_call(call), KEY)
  return call.do_not_call_secret
end

function M.hash(call, digits)
  local keyed = pads_of(secret_of(call))
  local inside = string.gsub(redis.sha1hex(keyed.inner .. '+' .. digits), '..', BYTE)
  return redis.sha1hex(keyed.outer .. inside)
end

-- The hashes that a number may stand under: its own, and that of the other way to write it, if there is one.
function M.hashes(call, digits)
  local other = same_line.other(digits)
  return { M.hash(call, digits), other and M.hash(call, other) or nil }
end

-- What is known of a hash, or nil.
function M.read(call, hash)
  local found = redis.call('HGET', key.do_not_call(call), hash)
  return found and cjson.decode(found) or nil
end

-- Keeps what is left of a number's entries, or nothing where there are none.
function M.write(call, hash, found)
  local first
  for _, entry in pairs(found.entries) do
    first = entry.ends and math.min(first or entry.ends, entry.ends) or first
  end
  if next(found.entries) then
    redis.call('HSET', key.do_not_call(call), hash, cjson.encode(found))
  else
    redis.call('HDEL', key.do_not_call(call), hash)
  end
  if first then
    redis.call('ZADD', key.do_not_call_ends(call), first, hash)
  else
    redis.call('ZREM', key.do_not_call_ends(call), hash)
  end
end

function M.has_ended(call, entry)
  return entry.ends and entry.ends <= call.now
end

-- Besides the numbers there is their key, from the first entry on.
local function is_empty(call)
  if call.do_not_call_empty == nil then
    call.do_not_call_empty = redis.call('HLEN', key.do_not_call(call)) <= 1
  end
  return call.do_not_call_empty
end

local function forbids(call, digits, tags)
  for _, hash in ipairs(M.hashes(call, digits)) do
    local found = M.read(call, hash)
    for scope, entry in pairs(found and found.entries or {}) do
      if not M.has_ended(call, entry) and (scope == '' or text.has(tags, scope)) then
        return true
      end
    end
  end
end

-- Whether nobody looks at the list for this request.
local function exempt(call, priority, dnc)
  return dnc == 'exempt' or (priority == 'urgent' and config.get(call, schema.config.dnc_urgent) == 'exempt')
end

-- The digits of the first number that the list keeps from being called, and its place; nil: none.
function M.refusal(call, to, tags, priority, dnc)
  if is_empty(call) or exempt(call, priority, dnc) then
    return nil
  end
  local place = 0
  for digits in text.items(to) do
    place = place + 1
    if forbids(call, digits, tags) then
      return digits, place
    end
  end
end

-- The same of a job.
function M.refuses(call, job)
  if is_empty(call) then
    return nil
  end
  local fields = job.fields
  return M.refusal(call, record.get(job, field.to), record.get(job, field.tags), job.priority, fields[field.dnc])
end

return M
