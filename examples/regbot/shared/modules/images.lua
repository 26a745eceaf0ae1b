-- What several scripts want to know of images.
local images = {}

-- The tags of a repository that match a pattern, in no certain order.
function images.tags(repository, pattern)
  local found = {}
  for _, t in ipairs(tag.ls(repository)) do
    if t:match(pattern) then table.insert(found, t) end
  end
  return found
end

-- Deletes all of these tags but the first `keep`. Gives how many it deleted.
function images.delete_after(repository, tags, keep)
  local ref = reference.new(repository)
  for i = keep + 1, #tags do
    ref:tag(tags[i])
    tag.delete(ref)
  end
  return math.max(0, #tags - keep)
end

return images
