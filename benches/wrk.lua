-- Prints one line for load.py at the end of a wrk run. With the arguments INDEX COUNT MS it sends requests only in every
-- COUNTth slice of MS milliseconds, starting with slice INDEX (from 0), so that concurrent wrk processes take turns.
local ffi = require "ffi"
ffi.cdef [[
  typedef struct { long seconds, nanoseconds; } moment;
  int clock_gettime(int clock, moment *now);
]]
local MONOTONIC, now = 1, ffi.new("moment")

-- Milliseconds until the next request may go out: none in a slice of ours.
local function wait(index, count, slice)
  ffi.C.clock_gettime(MONOTONIC, now)
  local milliseconds = tonumber(now.seconds) * 1e3 + tonumber(now.nanoseconds) / 1e6
  local ahead = (index - math.floor(milliseconds / slice)) % count
  return ahead == 0 and 0 or math.ceil(ahead * slice - milliseconds % slice)
end

init = function(arguments)
  local index, count, slice = tonumber(arguments[1]), tonumber(arguments[2]), tonumber(arguments[3])
  if count then
    delay = function() return wait(index, count, slice) end
  end
end

done = function(summary, latency, _)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d %d\n", summary.duration, summary.requests, summary.bytes,
    errors.connect + errors.read + errors.write + errors.timeout, errors.status,
    latency:percentile(50), latency:percentile(99)))
end
