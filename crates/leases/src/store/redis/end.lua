-- Owns an operator's order to end sessions: `Viewer::end` of viewer.rs, in Redis. Returns how many had a live lease.

-- Empty: all of the viewer.
local wanted = ARGV[4]

read(redis.call('HGET', viewer, 'state'))
local count = 0
for _, lease in ipairs(leases) do
  if wanted == '' or lease.session == wanted then
    finish(lease)
    count = count + 1
  end
end
if count > 0 then
  write()
end
return count
