-- Where a language asks for it (`spaced_punctuation` in its names.toml): spaces that do not break before ; : ! ? %, within « »
-- and between thousands.
local narrow, wide = "\u{202F}", "\u{00A0}"

local function spaced(inlines)
  local result = pandoc.Inlines({})
  for place, inline in ipairs(inlines) do
    local before, after = inlines[place - 1], inlines[place + 1]
    if inline.t == "Space" or inline.t == "SoftBreak" then
      local mark = after and after.t == "Str" and after.text
      if before and before.t == "Str" and before.text:match("«$") then
        inline = pandoc.Str(narrow)
      elseif mark and mark:match("^:") then
        inline = pandoc.Str(wide)
      elseif mark and before and before.t == "Str" and before.text:match("%f[%d]%d%d?%d?$") and mark:match("^%d%d%d%f[%D]") then
        inline = pandoc.Str(narrow)
      elseif mark and (mark:match("^[;!?%%]") or mark:match("^»")) then
        inline = pandoc.Str(narrow)
      end
    elseif inline.t == "Quoted" and inline.quotetype == "DoubleQuote" then
      result:insert(pandoc.Str("«" .. narrow))
      result:extend(spaced(inline.content))
      inline = pandoc.Str(narrow .. "»")
    end
    result:insert(inline)
  end
  return result
end

function Pandoc(document)
  local asked = document.meta["spaced-punctuation"]
  if asked == true or (asked and pandoc.utils.stringify(asked) == "true") then
    return document:walk({ Inlines = spaced })
  end
end
