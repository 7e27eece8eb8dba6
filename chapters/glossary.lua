-- In pages only: the first use of each word of the glossary in a chapter carries its meaning (shown by report.html).
local function words(text)
  local found = {}
  for word in text:gmatch("%S+") do table.insert(found, word) end
  return found
end

-- a word as it is compared: no punctuation around it, lower case unless it is an abbreviation
local function bare(text)
  local kept = text:gsub("’", "'")
  for _, mark in ipairs({ "\u{202F}", "\u{A0}", "«", "»" }) do kept = kept:gsub(mark, "") end
  kept = kept:gsub("^[%p]+", ""):gsub("[%p]+$", ""):gsub("^[ldLD]'", "") -- French: l'écart
  return kept:match("^%u%u+$") and kept or kept:lower()
end

-- the glossary of the chapter's language: chapters/fr/glossary.qmd for chapters/fr/conclusion.qmd and index.fr.qmd
local function read_glossary(input)
  local language = input:gsub("\\", "/"):match("chapters/(%l%l)/") or input:match("index%.(%l%l)%.")
  local place = language and { "chapters", language, "glossary.qmd" } or { "chapters", "glossary.qmd" }
  local file = io.open(pandoc.path.join({ quarto.project.directory or ".", table.unpack(place) }))
  if not file then return {} end
  local terms = {}
  pandoc.read(file:read("a"), "markdown"):walk({
    DefinitionList = function(list)
      for _, item in ipairs(list.content) do
        local term = words(pandoc.utils.stringify(item[1]))
        for k, word in ipairs(term) do term[k] = bare(word) end
        table.insert(terms, { words = term, meaning = pandoc.utils.stringify(item[2][1]) })
      end
    end,
  })
  file:close()
  -- the longest first: "false positive rate" before "rate"
  table.sort(terms, function(a, b) return #a.words > #b.words end)
  return terms
end

-- the term that starts at this place, and how many inlines it takes
local function term_at(inlines, place, terms)
  for number, term in ipairs(terms) do
    local here, matches = place, true
    for k, word in ipairs(term.words) do
      local inline = inlines[here]
      local last = k == #term.words
      if not inline or inline.t ~= "Str" or (bare(inline.text) ~= word and not (last and bare(inline.text) == word .. "s")) then
        matches = false
        break
      end
      if not last then
        local gap = inlines[here + 1]
        if not gap or (gap.t ~= "Space" and gap.t ~= "SoftBreak") then matches = false; break end
        here = here + 2
      end
    end
    if matches then return number, here end
  end
end

local function marked(inlines, terms)
  local result, place = pandoc.Inlines({}), 1
  while place <= #inlines do
    local number, last = nil, nil
    if inlines[place].t == "Str" then number, last = term_at(inlines, place, terms) end
    if number then
      local shown = pandoc.Inlines({})
      for k = place, last do shown:insert(inlines[k]) end
      local word, after = inlines[last].text:match("^(.-)(%p*)$")
      shown[#shown] = pandoc.Str(word)
      result:insert(pandoc.Span(shown, pandoc.Attr("", { "term" }, { tabindex = "0", ["data-meaning"] = terms[number].meaning })))
      if after ~= "" then result:insert(pandoc.Str(after)) end
      table.remove(terms, number)
      place = last + 1
    else
      result:insert(inlines[place])
      place = place + 1
    end
  end
  return result
end

function Pandoc(document)
  if not quarto.doc.is_format("html") or quarto.doc.is_format("revealjs") then return end
  local input = quarto.doc.input_file or ""
  if input:match("glossary") or input:match("reporting") or input:match("grading") then return end
  local terms = read_glossary(input)
  document.blocks = document.blocks:walk({
    traverse = "topdown",
    Header = function(block) return block, false end,
    Link = function(inline) return inline, false end,
    Cite = function(inline) return inline, false end,
    Span = function(inline) return inline, false end,
    Table = function(block) return block, false end,
    DefinitionList = function(block) return block, false end,
    Para = function(block)
      block.content = marked(block.content, terms)
      return block
    end,
    Plain = function(block)
      block.content = marked(block.content, terms)
      return block
    end,
  })
  return document
end
