-- Makes wrk write as many requests at once as its first argument says.
function init(arguments)
  local requests = {}
  for n = 1, tonumber(arguments[1]) do requests[n] = wrk.format() end
  batch = table.concat(requests)
end

function request() return batch end
