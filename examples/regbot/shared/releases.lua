-- Lets the tags v1, v2 and so on follow the newest release of each: v1 is what v1.10.2 is.
local images = require "images"
local semver = require "semver"

local repository = "localhost:5000/shared/app"
local newest = {}
for _, t in ipairs(images.tags(repository, "^v%d+%.%d+%.%d+$")) do
  local version = semver(t:sub(2))
  local known = newest[version.major]
  if known == nil or known.version < version then newest[version.major] = {tag = t, version = version} end
end
for major, release in pairs(newest) do
  image.copy(repository .. ":" .. release.tag, repository .. ":v" .. major)
end
