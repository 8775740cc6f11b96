-- Writes a new job, once for its id.
--
-- ARGV[2]  id
-- ARGV[3]  fingerprint of the request
-- ARGV[4]  priority
-- ARGV[5]  due: ms since the epoch, or +ms from now
-- ARGV[6]  expires: ms since the epoch, +ms from now, or ''
-- ARGV[7]  actor
-- ARGV[8]  JSON list of the request's own fields and values; of these `to` (digits, commas between)
--          and `tags` (commas between) are indexed
-- answer   'new', 'same' (this very request stands already) or 'other' (another request has the id)

local id, fingerprint = ARGV[2], ARGV[3]

local standing = redis.call('HGET', key('job', id), 'fp')
if standing then
  return standing == fingerprint and 'same' or 'other'
end

local function moment(text)
  if text == '' then
    return nil
  elseif string.sub(text, 1, 1) == '+' then
    return NOW + tonumber(string.sub(text, 2))
  end
  return tonumber(text)
end

local own = cjson.decode(ARGV[8])
local due = math.max(moment(ARGV[5]), NOW)
local expires = moment(ARGV[6])
local job = {
  id = id, prio = ARGV[4], created = NOW, due = due, expires = expires,
  n = 0, spent = 0, moves = 0, reason = '',
  state = due > NOW and 'scheduled' or 'queued',
}
local fields = {
  'fp', fingerprint, 'state', job.state, 'prio', job.prio, 'created', int(NOW), 'due', int(due),
  'n', '0', 'spent', '0',
}
if expires then
  for _, value in ipairs({ 'expires', int(expires), 'span', int(expires - NOW) }) do
    fields[#fields + 1] = value
  end
end
for i = 1, #own, 2 do
  fields[#fields + 1] = own[i]
  fields[#fields + 1] = own[i + 1]
  if own[i] == 'tags' then
    job.tags = own[i + 1]
    for tag in string.gmatch(job.tags, '[^,]+') do
      redis.call('ZADD', key('tag', tag), NOW, id)
    end
  elseif own[i] == 'to' then
    for digits in string.gmatch(own[i + 1], '%d+') do
      redis.call('ZADD', key('recipients'), 0, string.reverse(digits) .. ':' .. id)
    end
  end
end

put(id, fields)

job.line = line_of(job.tags, one_word(ARGV[7]))
arrive(job, job.state == 'scheduled' and due or expires)
note(job, ARGV[7], '')
return 'new'
