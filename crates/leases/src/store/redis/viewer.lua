-- Owns a viewer's leases in Redis, for ask.lua and end.lua, which are appended to it. The rules are those of viewer.rs;
-- keys.rs describes the keys and values. Scripts are atomic, and every loop is over the leases of one viewer (the terms
-- allow 1000), the ended sessions (32), the ranges of periods (16), or a constant number of members of an index.

local viewer, sessions, expiries, viewers, policies = unpack(KEYS)
-- The beginning of the keys of the realm's policies, and the viewer as the indexes name it.
local policy_key, name = ARGV[2], ARGV[3]

local REMEMBERED = 32
-- Members of an index that a newcomer removes once they have expired. It adds one, so that they become fewer.
local SWEPT = 4

local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
-- Tests bring a clock of their own.
local now = tonumber(ARGV[1]) or clock

-- A whole number for a command. Lua's own conversion could write an exponent.
local function text(number)
  return string.format('%.0f', number)
end

-- Whether a string comes before another of the same length by its bytes; Lua's operator goes by the server's locale.
local function less(a, b)
  for at = 1, #a do
    local left, right = a:byte(at), b:byte(at)
    if left ~= right then
      return left < right
    end
  end
  return false
end

-- The order of leases: their beginning, then their session.
local function before(a, b)
  if a.since ~= b.since then
    return a.since < b.since
  end
  return less(a.session, b.session)
end

-- The live leases, the ended sessions in the order of their end, the sessions whose records are to be deleted, and the
-- leases that are to leave the indexes.
local leases, ended, gone, unindexed = {}, {}, {}, {}

local function read(state)
  if not state then
    return
  end
  local count, at = struct.unpack('>I2', state)
  for _ = 1, count do
    local lease = {}
    lease.session, lease.since, lease.expires, at = struct.unpack('>c16I8I8', state, at)
    if lease.expires > now then
      leases[#leases + 1] = lease
    else
      gone[#gone + 1] = lease.session
    end
  end
  while at <= #state do
    local it = {}
    it.session, it.over, at = struct.unpack('>c16I8', state, at)
    if it.over > now then
      ended[#ended + 1] = it
    end
  end
end

-- The policy in a record, which comes after the times and the ranges of periods.
local function policy_of(record)
  local _, at, length = record:find('^(%d+):', 42 + 16 * record:byte(41))
  return record:sub(at + 1, at + length)
end

-- A lease as the indexes name it.
local function member(lease, policy)
  return struct.pack('>I8', lease.since) .. lease.session .. #policy .. ':' .. policy .. name
end

local function unindex(lease, policy)
  local it = member(lease, policy)
  redis.call('ZREM', sessions, it)
  redis.call('ZREM', expiries, it)
  redis.call('ZREM', policy_key .. policy, it)
end

-- Takes a lease away, with its record and its places in the indexes. Returns how long its session is remembered.
-- Nothing is written here: the first write must be that of the state, because a server without memory refuses it then.
local function drop(lease)
  local record = redis.call('HGET', viewer, lease.session)
  unindexed[#unindexed + 1] = { lease, policy_of(record) }
  lease.dropped = true
  gone[#gone + 1] = lease.session
  return (struct.unpack('>I8', record, 33))
end

-- The same, for a session that gets no further key.
local function finish(lease)
  local lasts = drop(lease)
  if #ended >= REMEMBERED then
    table.remove(ended, 1)
  end
  ended[#ended + 1] = { session = lease.session, over = now + lasts }
end

-- Writes the leases that were not dropped, and the record of the asking session if it got a key.
local function write(session, record)
  local count, live, last, parts = 0, 0, 0, { '' }
  for _, lease in ipairs(leases) do
    if not lease.dropped then
      count = count + 1
      live = math.max(live, lease.expires)
      parts[#parts + 1] = struct.pack('>c16I8I8', lease.session, lease.since, lease.expires)
    end
  end
  last = live
  for _, it in ipairs(ended) do
    last = math.max(last, it.over)
    parts[#parts + 1] = struct.pack('>c16I8', it.session, it.over)
  end
  parts[1] = struct.pack('>I2', count)
  if record then
    redis.call('HSET', viewer, 'state', table.concat(parts), session, record)
  elseif last > 0 then
    redis.call('HSET', viewer, 'state', table.concat(parts))
  end
  for _, it in ipairs(unindexed) do
    unindex(unpack(it))
  end
  for _, old in ipairs(gone) do
    if old ~= session then
      redis.call('HDEL', viewer, old)
    end
  end
  if last > 0 then
    redis.call('PEXPIREAT', viewer, text(last))
  else
    redis.call('DEL', viewer)
  end
  if live > 0 then
    redis.call('ZADD', viewers, text(live), name)
  else
    redis.call('ZREM', viewers, name)
  end
end
