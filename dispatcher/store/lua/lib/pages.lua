-- An index of jobs by creation, in pages of a hundred or so, which Redis keeps closely packed: a place in one
-- large zset would take four times as much.
--
-- <kind>:<name>               zset: the floors of its pages, all 0: the lowest place that is kept in each
-- <kind>_page:<name>:<floor>  zset: id by creation
--
-- A place is <created><id>: jobs that were created in one millisecond go by their ids. The floor of the first
-- page is '', so that there is a page for every place. One that empties goes.
-- Few jobs are calling at a time, and each comes and goes: those states have one page, whose floor is not kept. So
-- such an index is a sorted set like any other, and how many are in it is not counted.

local schema = require('schema')

local M = {}

local key = schema.key

local latest, digits -- the moment that was written last: mostly the next one is the same

function M.place(created, id)
  if created ~= latest then
    latest, digits = created, string.format('%015d', created)
  end
  return digits .. id
end

-- What is known of an index by its kind and name.
function M.index(kind, name)
  return { kind = kind, name = name, one_page = kind == 'by_state' and schema.calling[name] }
end

function M.page(call, index, floor)
  return key[index.kind .. '_page'](call, index.name, floor)
end

function M.floors(call, index)
  return key[index.kind](call, index.name)
end

-- The highest floor up to a bound, as ZREVRANGEBYLEX takes it, or nil.
function M.floor_below(call, index, bound)
  return redis.call('ZREVRANGEBYLEX', M.floors(call, index), bound, '-', 'LIMIT', '0', '1')[1]
end

-- The lowest floor above one, or nil.
function M.floor_above(call, index, floor)
  return redis.call('ZRANGEBYLEX', M.floors(call, index), '(' .. floor, '+', 'LIMIT', '0', '1')[1]
end

-- Adds entries of a page that stand between two places to what was found.
local function collect(entries, from, below, most, found)
  for i = 1, #entries, 2 do
    local at = M.place(entries[i + 1], entries[i])
    if #found < 2 * most and at >= from and (below == '' or at < below) then
      found[#found + 1] = entries[i]
      found[#found + 1] = entries[i + 1]
    end
  end
end

-- The moment of a place, or else the other.
local function moment(at, other)
  return at == '' and other or tonumber(string.sub(at, 1, 15))
end

-- Some entries of an index that has one page, after those that were read before.
local function some_of_page(call, index, oldest, from, below, seen, most)
  local page, least, greatest = M.page(call, index, ''), moment(from, '-inf'), moment(below, '+inf')
  if oldest then
    return redis.call('ZRANGEBYSCORE', page, least, greatest, 'WITHSCORES', 'LIMIT', seen, most)
  end
  return redis.call('ZREVRANGEBYSCORE', page, greatest, least, 'WITHSCORES', 'LIMIT', seen, most)
end

local function of_one_page(call, index, oldest, from, below, most)
  local found, seen, some = {}, 0
  repeat
    some = some_of_page(call, index, oldest, from, below, seen, most)
    collect(some, from, below, most, found)
    seen = seen + #some / 2
  until #found >= 2 * most or #some < 2 * most
  return found
end

-- The newest from a place on ('': all) and below another ('': all), at most so many: id, created, id, …
function M.newest(call, kind, name, from, below, most)
  local index, found, bound = M.index(kind, name), {}, below == '' and '+' or '(' .. below
  if index.one_page then
    return of_one_page(call, index, false, from, below, most)
  end
  while #found < 2 * most do
    local floor = M.floor_below(call, index, bound)
    if not floor then
      return found
    end
    collect(redis.call('ZREVRANGE', M.page(call, index, floor), 0, -1, 'WITHSCORES'), from, below, most, found)
    if floor <= from then
      return found
    end
    bound = '(' .. floor
  end
  return found
end

-- The same, the oldest first.
function M.oldest(call, kind, name, from, below, most)
  local index, found = M.index(kind, name), {}
  if index.one_page then
    return of_one_page(call, index, true, from, below, most)
  end
  local floor = M.floor_below(call, index, '[' .. from) or redis.call('ZRANGE', M.floors(call, index), 0, 0)[1]
  while floor and #found < 2 * most and (below == '' or floor < below) do
    collect(redis.call('ZRANGE', M.page(call, index, floor), 0, -1, 'WITHSCORES'), from, below, most, found)
    floor = M.floor_above(call, index, floor)
  end
  return found
end

return M
