-- Owns the decision about a question: `Viewer::ask` of viewer.rs, in Redis.

local GRANTED, LIMIT, ENDED, AHEAD = 1, 2, 3, 4
local RANGES = 16

local session, group, policy, details = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local limit, refuses = tonumber(ARGV[8]), ARGV[9] == 'refuse-new'
local period, grace, ahead, lasts = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
-- The key period and its neighbours, 8 bytes each, because Lua's numbers are exact to 2^53 only. Empty: none.
local previous, number, following = ARGV[14], ARGV[15], ARGV[16]

local function has(ranges)
  for at = 1, #ranges, 16 do
    if not less(number, ranges:sub(at, at + 7)) and not less(ranges:sub(at + 8, at + 15), number) then
      return true
    end
  end
  return false
end

-- The ranges with the period: sorted, neither touching nor overlapping. The lowest of too many is forgotten.
local function with(ranges)
  local first, last, kept = number, number, {}
  for at = 1, #ranges, 16 do
    local low, high = ranges:sub(at, at + 7), ranges:sub(at + 8, at + 15)
    if high == previous then
      first = low
    elseif low == following then
      last = high
    else
      kept[#kept + 1] = low .. high
    end
  end
  local at = 1
  while kept[at] and less(kept[at]:sub(1, 8), first) do
    at = at + 1
  end
  table.insert(kept, at, first .. last)
  if #kept > RANGES then
    table.remove(kept, 1)
  end
  return table.concat(kept)
end

-- Removes expired members of indexes, a few at a time.
local function sweep(key, other)
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', text(now), 'LIMIT', '0', SWEPT)) do
    redis.call('ZREM', key, old)
    if other then
      redis.call('ZREM', other, old)
    end
  end
end

-- Makes an index last as long as the lease. A period more saves doing it again at each question.
local function keep(expires, key, other)
  if clock + redis.call('PTTL', key) < expires then
    redis.call('PEXPIREAT', key, text(expires + period))
    if other then
      redis.call('PEXPIREAT', other, text(expires + period))
    end
  end
end

local function index(lease, old_policy)
  if old_policy and old_policy ~= policy then
    unindex(lease, old_policy)
  end
  local it, expires, of_policy = member(lease, policy), text(lease.expires), policy_key .. policy
  redis.call('ZADD', expiries, expires, it)
  redis.call('ZADD', of_policy, expires, it)
  if old_policy ~= policy then
    redis.call('ZADD', sessions, '0', it)
    -- Only newcomers make the indexes longer.
    sweep(expiries, sessions)
    sweep(of_policy)
    sweep(viewers)
  end
  keep(lease.expires, expiries, sessions)
  keep(lease.expires, of_policy)
  keep(lease.expires, viewers)
  -- The names of policies and groups last longer than their leases, so that they are seldom written.
  local names = #policy .. ':' .. policy .. group
  if (tonumber(redis.call('ZSCORE', policies, names) or 0)) < lease.expires then
    redis.call('ZADD', policies, text(lease.expires + period), names)
    sweep(policies)
    keep(lease.expires + period, policies)
  end
end

local state, record = unpack(redis.call('HMGET', viewer, 'state', session))
read(state)

for _, it in ipairs(ended) do
  if it.session == session then
    return ENDED
  end
end

local own
for _, lease in ipairs(leases) do
  if lease.session == session then
    own = lease
  end
end

local pace, ranges, old_policy = now, '', nil
if own then
  -- The limit may have shrunk.
  local older = 0
  for _, lease in ipairs(leases) do
    if before(lease, own) then
      older = older + 1
    end
  end
  if refuses and older >= limit then
    drop(own)
    write()
    return LIMIT
  elseif not refuses and #leases - older - 1 >= limit then
    finish(own)
    write()
    return ENDED
  end
  pace = struct.unpack('>I8', record, 25)
  ranges = record:sub(42, 41 + 16 * record:byte(41))
  old_policy = policy_of(record)
elseif #leases >= limit then
  if refuses then
    return LIMIT
  end
  local oldest = { unpack(leases) }
  table.sort(oldest, before)
  for at = 1, #leases - limit + 1 do
    finish(oldest[at])
  end
end

if number ~= '' and not has(ranges) then
  -- Half a period each: real periods are shorter than announced, and players may play at double speed.
  local half = math.floor(period / 2)
  local paced = math.max(pace, now) + half
  if paced - now > (ahead + 1) * half then
    return AHEAD
  end
  pace, ranges = paced, with(ranges)
end

if not own then
  own = { session = session, since = now, expires = now }
  leases[#leases + 1] = own
end
own.expires = math.max(own.expires, now + math.max(2 * (pace - now), period) + grace)
record = struct.pack('>I8I8I8I8I8B', own.since, now, own.expires, pace, lasts, #ranges / 16) .. ranges
write(session, record .. #policy .. ':' .. policy .. details)
index(own, old_policy)
return GRANTED
