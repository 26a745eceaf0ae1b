-- Keeps the last five builds: build-1, build-2, and so on.
local images = require "images"

local repository = "localhost:5000/shared/app"
local tags = images.tags(repository, "^build%-%d+$")
table.sort(tags, function(a, b)
  return tonumber(a:match("%d+")) > tonumber(b:match("%d+"))
end)
log("builds deleted: " .. images.delete_after(repository, tags, 5))
