-- The draft's filter: exhibits become figures with numbered captions, HTML tables become tables of the PDF.
local typst = FORMAT:match("typst") ~= nil
local numbers = {}

local function raw(text) return pandoc.RawBlock("typst", text) end
local function quoted(text) return '"' .. text:gsub("\\", "\\\\"):gsub('"', '\\"') .. '"' end

-- ---- tables of HTML, in the PDF: notes of the table stay below its grid
local aligned = { gt_left = "AlignLeft", gt_right = "AlignRight", gt_center = "AlignCenter" }

local function cells(rows)
  for _, row in ipairs(rows) do
    for _, cell in ipairs(row.cells) do
      for _, class in ipairs(cell.classes) do cell.alignment = aligned[class] or cell.alignment end
      local heading = cell.classes:includes("gt_group_heading")
      if heading then cell.contents = { pandoc.Plain({ pandoc.Strong(pandoc.utils.blocks_to_inlines(cell.contents)) }) } end
      cell.attr = pandoc.Attr()
    end
  end
end

local function of_html(html)
  local notes = pandoc.Blocks({})
  local blocks = pandoc.read(html:gsub("<style.-</style>", ""):gsub("<script.-</script>", ""), "html").blocks
  blocks = blocks:walk({
    Div = function(div) return div.content end,
    Span = function(span) return span.content end,
    Table = function(tbl)
      for _, row in ipairs(tbl.foot.rows) do
        for _, cell in ipairs(row.cells) do notes:extend(cell.contents) end
      end
      tbl.foot.rows, tbl.attr = {}, pandoc.Attr()
      cells(tbl.head.rows)
      for _, body in ipairs(tbl.bodies) do cells(body.head); cells(body.body) end
      return tbl
    end,
  })
  return blocks .. notes
end

-- ---- exhibits
local function exhibit(div)
  local label, table_of = numbers[div.identifier], div.identifier:match("^tbl")
  if not label then return nil end
  local last, caption = div.content[#div.content], pandoc.Inlines({})
  if last and last.t == "Para" then caption = div.content:remove(#div.content).content end
  if not typst then
    caption = pandoc.Inlines({ pandoc.Strong(label .. ".") , pandoc.Space() }) .. caption
    return pandoc.Figure(div.content, { pandoc.Plain(caption) }, pandoc.Attr(div.identifier, { table_of and "exhibit-tbl" or "exhibit-fig" }))
  end
  local kind, word = table_of and "quarto-float-tbl" or "quarto-float-fig", label:gsub("[%s\u{00A0}]+%S+$", "")
  local head = raw("#figure(kind: " .. quoted(kind) .. ", supplement: [" .. word .. "], caption: figure.caption(position: "
    .. (table_of and "top" or "bottom") .. ", [")
  return pandoc.Blocks({ head, pandoc.Plain(caption), raw("]))[") }) .. div.content .. pandoc.Blocks({ raw("] <" .. div.identifier .. ">") })
end

local function hidden(div)
  local seen = div.attributes["when-format"] or div.attributes["unless-format"]
  if not seen then return false end
  local here = (seen == "typst" or seen == "pdf") == typst
  if div.attributes["unless-format"] then here = not here end
  return here == div.classes:includes("content-hidden")
end

function Div(div)
  if hidden(div) then return {} end
  if div.identifier:match("^fig%-") or div.identifier:match("^tbl%-") then return exhibit(div) end
  if div.classes:includes("cell") or div.classes:includes("cell-output") then return div.content end
  if typst and div.classes:includes("answer") then return pandoc.Blocks({ raw("#answer[") }) .. div.content .. pandoc.Blocks({ raw("]") }) end
end

function CodeBlock(block)
  if block.classes:includes("cell-code") then return {} end
end

function RawBlock(block)
  if typst and block.format == "html" then return of_html(block.text) end
end

-- PDF/UA asks for a text beside every formula: its TeX source
function Math(math)
  if not typst then return nil end
  local code = pandoc.write(pandoc.Pandoc({ pandoc.Plain({ math }) }), "typst"):gsub("%s+$", "")
  return pandoc.RawInline("typst", "#math.equation(alt: " .. quoted(math.text) .. ", " .. code .. ");")
end

-- the HTML of an exhibit that is drawn for print, too, is not needed there
local function printed(div)
  local drawn = false
  div:walk({ RawBlock = function(block) drawn = drawn or block.format == "typst" end })
  if drawn then
    return div:walk({ RawBlock = function(block) if block.format == "html" then return {} end end })
  end
end

function Pandoc(document)
  for id, label in pairs(document.meta.numbers or {}) do numbers[id] = pandoc.utils.stringify(label) end
  document.meta.numbers = nil
  if typst then
    document = document:walk({ Div = function(div) if numbers[div.identifier] then return printed(div) end end })
  end
  return document:walk({ Div = Div, CodeBlock = CodeBlock, RawBlock = RawBlock, Math = Math })
end

return { { Pandoc = Pandoc } }
