-- For the PDF only: the boxed answer of a chapter, the first page in smaller type, and inline formulas that screen readers can read (PDF/UA).
local function typst() return quarto.doc.is_format("typst") end

function Div(div)
  for _, name in ipairs({ "answer", "board" }) do
    if div.classes:includes(name) and typst() then
      div.content:insert(1, pandoc.RawBlock("typst", "#" .. name .. "["))
      div.content:insert(pandoc.RawBlock("typst", "]"))
      return div.content
    end
  end
end

function Math(math)
  if math.mathtype == "InlineMath" and typst() then
    local code = pandoc.write(pandoc.Pandoc(pandoc.Plain(math)), "typst"):gsub("%s+$", "")
    local alt = math.text:gsub("\\", "\\\\"):gsub('"', '\\"')
    return pandoc.RawInline("typst", '#math.equation(alt: "' .. alt .. '", ' .. code .. ")")
  end
end
