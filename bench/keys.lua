-- Requests to /v2/keys for wrk, and its figures as one line of JSON.
--
--     wrk ... -s keys.lua URL -- METHOD KEYS VALUE_BYTES QUERY STRIDE
--
-- Each request is one of KEYS keys in turn, every STRIDE-th of those there are. All are made before the start, so that the load costs wrk little.

local requests = {}
local next_request = 0

function init(args)
  local method, keys, bytes, query = args[1], tonumber(args[2]), tonumber(args[3]), args[4] or ""
  local stride = tonumber(args[5]) or 1
  local body = nil
  local headers = { ["Host"] = wrk.headers["Host"] }
  if method == "PUT" then
    body = "value=" .. string.rep("v", bytes)
    headers["Content-Type"] = "application/x-www-form-urlencoded"
  end
  for n = 0, keys - 1 do
    requests[n] = wrk.format(method, string.format("/v2/keys/bench/%06d%s", n * stride, query), headers, body)
  end
end

function request()
  local text = requests[next_request]
  next_request = (next_request + 1) % (#requests + 1)
  return text
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '\nJSON {"requests": %d, "seconds": %f, "p99": %f, "max": %f, "failed": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(99) / 1e6, latency.max / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
