-- For notebooks: what only pages draw is left out, with the paragraph that leads to it; the answer of a chapter as a quotation, other divisions as what is in them; a word's definition in a line.
function Div(div)
  if div.classes:includes("answer") then return pandoc.BlockQuote(div.content) end
  local seen = div.attributes["when-format"] or div.attributes["unless-format"]
  if seen then
    local here = (seen == "html") == (div.attributes["when-format"] ~= nil)
    if here == div.classes:includes("content-hidden") then return {} end
  end
  if div.identifier ~= "refs" then return div.content end
end

function Blocks(blocks)
  local kept = pandoc.Blocks({})
  for _, block in ipairs(blocks) do
    if block.t == "Para" and pandoc.utils.stringify(block) == "WIDGETHERE" then
      if #kept > 0 and kept[#kept].t == "Para" then kept:remove(#kept) end
    else
      kept:insert(block)
    end
  end
  return kept
end

function Span(span) return span.content end

function Header(header)
  header.attr = pandoc.Attr()
  return header
end

function DefinitionList(list)
  local items = pandoc.List({})
  for _, item in ipairs(list.content) do
    local told = pandoc.Inlines({ pandoc.Strong(item[1]), pandoc.Str(":"), pandoc.Space() })
    for _, meaning in ipairs(item[2]) do told:extend(pandoc.utils.blocks_to_inlines(meaning)) end
    items:insert({ pandoc.Plain(told) })
  end
  return pandoc.BulletList(items)
end
