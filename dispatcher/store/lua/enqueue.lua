-- Writes new jobs, each once for its id.
--
-- ARGV[2]  actor
-- ARGV[3]  JSON list of jobs, each a list of strings: id, fingerprint of the request, priority, due (ms
--          since the epoch, or +ms from now), expires (the same, or ''), then the request's own fields
--          and values; of these `to` (digits, commas between) and `tags` (commas between) are indexed
-- answer   for each 'new', 'same' (this very request stands already) or 'other' (another request has the id)

local OWN = 6 -- where a request's own fields begin
local actor = ARGV[2]

local function moment(text)
  if text == '' then
    return nil
  elseif string.sub(text, 1, 1) == '+' then
    return NOW + tonumber(string.sub(text, 2))
  end
  return tonumber(text)
end

local function index(id, field, value)
  if field == 'tags' then
    for tag in string.gmatch(value, '[^,]+') do
      redis.call('ZADD', key('tag', tag), NOW, id)
    end
  elseif field == 'to' then
    for digits in string.gmatch(value, '%d+') do
      redis.call('ZADD', key('recipients'), 0, string.reverse(digits) .. ':' .. id)
    end
  end
end

local function write(row)
  local id, fingerprint, prio = row[1], row[2], row[3]
  local standing = redis.call('HGET', key('job', id), 'fp')
  if standing then
    return standing == fingerprint and 'same' or 'other'
  end
  local due, expires = math.max(moment(row[4]), NOW), moment(row[5])
  local job = {
    id = id, prio = prio, created = NOW, due = due, expires = expires,
    n = 0, spent = 0, moves = 0, reason = '',
    state = due > NOW and 'scheduled' or 'queued',
  }
  local fields = {
    'fp', fingerprint, 'state', job.state, 'prio', prio, 'created', int(NOW), 'due', int(due),
    'n', '0', 'spent', '0',
  }
  if expires then
    for _, value in ipairs({ 'expires', int(expires), 'span', int(expires - NOW) }) do
      fields[#fields + 1] = value
    end
  end
  for i = OWN, #row, 2 do
    fields[#fields + 1] = row[i]
    fields[#fields + 1] = row[i + 1]
    index(id, row[i], row[i + 1])
    if row[i] == 'tags' or row[i] == 'tariff' or row[i] == 'hook' then
      job[row[i]] = row[i + 1]
    end
  end
  put(id, fields)
  job.line = line_of(job.tags, one_word(actor))
  arrive(job, job.state == 'scheduled' and due or expires)
  note(job, actor, '')
  announce(job)
  return 'new'
end

local answers = {}
for i, row in ipairs(cjson.decode(ARGV[3])) do
  answers[i] = write(row)
end
return answers
