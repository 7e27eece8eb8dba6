--[[ What Quarto does to a book and pandoc alone does not: chapter numbers, references across chapters, figure and
table divs, callouts, conditional content. It calls citeproc itself, last, since `@fig-x` parses as a citation.

The document is all chapters in one; an empty div `.draft-chapter` (attributes path, appendix) opens each of them.
Metadata `draft-mode` is "book", or "slides": then nothing is numbered by chapter.
Everything that could not be honoured is written to stderr, one line "draft: ...", which draft.py shows.  ]]

local stringify = pandoc.utils.stringify
local typst = FORMAT == 'typst'
local slides = false
local numbers = {}       -- id -> {text = 'Figure 2.1', number = '2.1', head = inlines of an unnumbered heading}
local ids = {}           -- every id a link may point to
local first_heading = {} -- path of a chapter -> id of its first heading
local current = ''       -- path of the chapter being read

local names = { fig = 'Figure', tbl = 'Table', eq = 'Equation' }
local callouts = { note = 'Note', tip = 'Tip', important = 'Important', warning = 'Warning', caution = 'Caution' }

local function warn(message) io.stderr:write('draft: ' .. message .. '\n') end
local function raw(text) return pandoc.RawBlock(typst and 'typst' or 'html', text) end
local function kind_of(id) return id:match('^(fig)%-') or id:match('^(tbl)%-') or id:match('^(eq)%-') end
local function escape(text)
  return (text:gsub('[&<>"]', { ['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;', ['"'] = '&quot;' }))
end
local function typst_string(text) return '"' .. text:gsub('[\\"]', '\\%0'):gsub('\n', ' ') .. '"' end

-- 1. What is meant for another format goes; links and images are made relative to the project. ---------------------

local function is_visible(div)
  local here = typst and { typst = true, pdf = true } or { html = true, ['html:js'] = true, revealjs = slides }
  local format, except = div.attributes['when-format'], div.attributes['unless-format']
  local match = (not format or here[format] or false) and not (except and here[except])
  if div.classes:includes('content-hidden') then return not match end
  return match
end

local function in_project(target)
  if target:match('^%a[%w+.-]*:') or target:match('^[/#]') or target == '' then return target end
  return pandoc.path.normalize(pandoc.path.join({ pandoc.path.directory(current), target }))
end

local function without_steps_up(path) -- chapters/../x -> x
  local before
  repeat
    before = path
    path = path:gsub('^%./', ''):gsub('[^/.]+/%.%./', '', 1)
  until path == before
  return path
end

local prepare = { traverse = 'topdown' }
function prepare.Div(div)
  if div.classes:includes('draft-chapter') then current = div.attributes.path end
  if div.classes:includes('content-visible') or div.classes:includes('content-hidden') then
    if not is_visible(div) then return {}, false end
  end
  if stringify(div.classes):match('callout%-') and div.content[1] and div.content[1].t == 'Header' then
    local heading = div.content:remove(1) -- the callout's title: not a section
    div.attributes.title = div.attributes.title or pandoc.write(pandoc.Pandoc({ pandoc.Plain(heading.content) }), 'markdown')
  end
  if div.classes:includes('panel-tabset') then -- tabs become plain subheadings
    div.content = div.content:walk({ Header = function(h) h.classes:insert('unnumbered'); h.classes:insert('unlisted'); return h end })
  end
  return div
end
function prepare.Image(image)
  image.src = without_steps_up(in_project(image.src))
  image.attributes.alt = image.attributes['fig-alt'] or image.attributes.alt
  image.attributes['fig-alt'] = nil
  if typst and not image.src:match('^[/%a]+:') then image.src = '/' .. image.src end -- typst's root is the project
  return image
end
function prepare.Link(link)
  local path, anchor = link.target:match('^([^#]*)#?(.*)$')
  if path:match('%.qmd$') or (slides and path:match('%.html$')) then
    path = without_steps_up(in_project(path))
    link.target = anchor ~= '' and '#' .. anchor or '#draft-chapter:' .. path
    if slides then link.target = 'index.html' .. (anchor ~= '' and link.target or '') end
  end
  return link
end
function prepare.Para(para) -- $$ ... $$ {#eq-x}
  local last = para.content[#para.content]
  local id = last and last.t == 'Str' and last.text:match('^{#(eq%-[^}]+)}$')
  if id and para.content[1].t == 'Math' then return pandoc.Div({ pandoc.Plain({ para.content[1] }) }, pandoc.Attr(id)) end
end

-- 2. Numbers, in reading order. -----------------------------------------------------------------------------------

local chapter, appendix, counts, loose = 0, 0, {}, {}
local prefix = nil       -- '2' or 'A' within a numbered chapter
local in_appendix = false

local function next_number(kind)
  local tally = prefix and counts or loose -- unnumbered chapters share one series, as the draft is one page
  tally[kind] = (tally[kind] or 0) + 1
  return prefix and prefix .. '.' .. tally[kind] or tostring(tally[kind])
end

local function register(element)
  local id = element.identifier
  if id == '' then return end
  if ids[id] then warn('the label ' .. id .. ' is used twice') end
  ids[id] = true
  local kind = kind_of(id)
  if kind then
    local number = next_number(kind)
    numbers[id] = { number = number, text = names[kind] .. ' ' .. number }
  end
end

local count = { traverse = 'topdown' }
function count.Div(div)
  if div.classes:includes('draft-chapter') then
    current, in_appendix = div.attributes.path, div.attributes.appendix == 'true'
    return {}, false
  end
  register(div)
end
count.Figure, count.Table, count.Span, count.Code, count.CodeBlock = register, register, register, register, register
function count.Header(header)
  if typst and header.classes:includes('part') then return {}, false end -- it would take a page for itself
  if header.identifier ~= '' then
    ids[header.identifier] = true
    first_heading[current] = first_heading[current] or header.identifier
  end
  if slides then return end
  local unnumbered = header.classes:includes('unnumbered')
  if header.level == 1 then
    counts, prefix = {}, nil
    if not unnumbered and in_appendix then
      appendix = appendix + 1
      prefix = string.char(64 + appendix)
    elseif not unnumbered then
      chapter = chapter + 1
      prefix = tostring(chapter)
    end
  end
  if unnumbered or not prefix then
    numbers[header.identifier] = { head = header.content }
    return
  end
  local number, word = prefix, in_appendix and 'Appendix' or 'Chapter'
  if header.level > 1 then
    for level = 2, header.level do
      local key = 'h' .. level
      counts[key] = (counts[key] or 0) + (level == header.level and 1 or 0)
      number = number .. '.' .. counts[key]
    end
    for level = header.level + 1, 6 do counts['h' .. level] = nil end
    word = 'Section'
  end
  numbers[header.identifier] = { number = number, text = word .. ' ' .. number }
  header.content:insert(1, pandoc.Space())
  header.content:insert(1, pandoc.Span(number, pandoc.Attr('', { 'header-section-number' })))
  return header
end

-- 3. Tables of HTML for the PDF. ------------------------------------------------------------------------------------

local aligned = { gt_left = 'AlignLeft', gt_right = 'AlignRight', gt_center = 'AlignCenter' }

local function plain_cell(cell)
  for _, class in ipairs(cell.classes) do cell.alignment = aligned[class] or cell.alignment end
  local style = ';' .. (cell.attributes.style or '')
  local fill = style:match('[; ]background%-color:%s*(#%x+)')
  local ink = style:match('[; ]color:%s*(#%x+)')
  if cell.classes:includes('gt_group_heading') then
    cell.alignment = 'AlignLeft'
    cell.contents = { pandoc.Plain({ pandoc.Strong(pandoc.utils.blocks_to_inlines(cell.contents)) }) }
  end
  cell.attr = pandoc.Attr()
  if fill then cell.attributes['typst:fill'] = 'rgb("' .. fill .. '")' end
  if ink then cell.attributes['typst:text:fill'] = 'rgb("' .. ink .. '")' end
  return cell
end

-- A great-tables table as blocks: its title and notes leave the grid, so that the repeated header stays short.
local function plain_table(tbl)
  local above, below = pandoc.Blocks({}), pandoc.Blocks({})
  local function rows_without(rows, class, into, wrap)
    return rows:filter(function(row)
      if not row.classes:includes(class) then return true end
      for _, cell in ipairs(row.cells) do into:insert(pandoc.Para(wrap(pandoc.utils.blocks_to_inlines(cell.contents)))) end
      return false
    end)
  end
  tbl.head.rows = rows_without(tbl.head.rows, 'gt_heading', above, function(x) return pandoc.Inlines({ pandoc.Strong(x) }) end)
  for _, class in ipairs({ 'gt_sourcenotes', 'gt_footnotes' }) do
    tbl.foot.rows = rows_without(tbl.foot.rows, class, below, function(x) return x end)
  end
  tbl.attr = pandoc.Attr()
  for _, part in ipairs({ tbl.head, tbl.foot }) do part.rows = part.rows:map(function(row) row.cells = row.cells:map(plain_cell); return row end) end
  for _, body in ipairs(tbl.bodies) do
    for _, part in ipairs({ 'head', 'body' }) do
      for _, row in ipairs(body[part]) do row.cells = row.cells:map(plain_cell) end
    end
  end
  above:insert(tbl)
  above:extend(below)
  return above
end

local function blocks_of_html(html)
  html = html:gsub('<style.-</style>', ''):gsub('<script.-</script>', '')
  local blocks = pandoc.read(html, 'html+raw_html').blocks
  return blocks:walk({
    RawBlock = function() return {} end,
    RawInline = function() return {} end,
    Div = function(div) return div.content end,
    Span = function(span) return span.content end,
    Table = plain_table,
  })
end

-- 4. Exhibits: one look for every figure and table, however it was written. ------------------------------------------

-- Ids inside an SVG or a table repeat from one exhibit to the next (clip0, title): on one page they must not.
local function own_ids(html, id)
  local own = {}
  for name in html:gmatch('%sid="([^"]+)"') do own[name] = id .. '-' .. name end
  html = html:gsub('(%sid=")([^"]+)', function(attribute, name) return attribute .. own[name] end)
  html = html:gsub('#([%w_-]+)', function(name) return own[name] and '#' .. own[name] end)
  return (html:gsub('(%s)([%a-]+)="([^"]*)"', function(space, attribute, value)
    if attribute == 'headers' or attribute == 'aria-labelledby' or attribute == 'aria-describedby' then
      return space .. attribute .. '="' .. value:gsub('%S+', own) .. '"'
    end
  end))
end

local function labelled(id, caption)
  local head = pandoc.Span(numbers[id].text, pandoc.Attr('', { 'exhibit-number' }))
  if #caption == 0 then return pandoc.Inlines({ head }) end
  return pandoc.Inlines({ head, pandoc.Str(typst and ': ' or ' ') }) .. caption
end

local function html_exhibit(id, kind, body, caption)
  local label = pandoc.Blocks({ raw('<figcaption>'), pandoc.Plain(labelled(id, caption)), raw('</figcaption>') })
  local scroll = '<div class="exhibit-body" tabindex="0" role="group" aria-label="' .. numbers[id].text .. '">'
  local inside = pandoc.Blocks({ raw(scroll) }) .. body .. pandoc.Blocks({ raw('</div>') })
  local parts = kind == 'tbl' and label .. inside or inside .. label
  return pandoc.Blocks({ raw('<figure id="' .. escape(id) .. '" class="exhibit exhibit-' .. kind .. '">') }) .. parts
    .. pandoc.Blocks({ raw('</figure>') })
end

local function typst_exhibit(id, kind, body, caption)
  if kind == 'tbl' then
    for index, block in ipairs(body) do -- pandoc's own table figure takes the caption; what surrounds it stays around it
      if block.t == 'Table' then
        block.caption = { long = { pandoc.Plain(labelled(id, caption)) } }
        block.attr = pandoc.Attr(id)
        local after = pandoc.Blocks({})
        for i = #body, index + 1, -1 do after:insert(1, body:remove(i)) end
        if #after > 0 then after = pandoc.Blocks({ raw('#draft-notes[') }) .. after .. pandoc.Blocks({ raw(']') }) end
        return body .. after
      end
    end
  end
  return pandoc.Blocks({ raw('#figure(kind: ' .. (kind == 'tbl' and 'table' or 'image') .. ', supplement: none, caption: [') })
    .. pandoc.Blocks({ pandoc.Plain(labelled(id, caption)), raw('])[') }) .. body .. pandoc.Blocks({ raw('] #label(' .. typst_string(id) .. ')') })
end

local function exhibit(id, body, caption)
  local kind = kind_of(id)
  local has_typst = false
  for _, block in ipairs(body) do has_typst = has_typst or (block.t == 'RawBlock' and block.format == 'typst') end
  local kept = pandoc.Blocks({})
  for _, block in ipairs(body) do
    if block.t == 'RawBlock' and block.format == 'html' then
      if not typst then
        block.text = own_ids(block.text, id)
        kept:insert(block)
      elseif not has_typst then
        local blocks = blocks_of_html(block.text)
        if #blocks == 0 then warn(numbers[id].text .. ' (' .. id .. ') has no form for the PDF') end
        kept:extend(blocks)
      end
    else
      kept:insert(block)
    end
  end
  return (typst and typst_exhibit or html_exhibit)(id, kind, kept, caption)
end

local function equation(div)
  local math = div.content[1].content[1]
  local label = '(' .. numbers[div.identifier].number .. ')'
  if typst then return { raw('#draft-equation(' .. typst_string(label) .. ')['), pandoc.Plain({ math }), raw('] #label(' .. typst_string(div.identifier) .. ')') } end
  return { raw('<div class="equation" id="' .. escape(div.identifier) .. '">'), pandoc.Plain({ math, pandoc.Span(label) }), raw('</div>') }
end

local function callout(div, kind)
  local title = pandoc.Inlines(callouts[kind] or kind)
  if div.attributes.title then
    title = pandoc.utils.blocks_to_inlines(pandoc.read(div.attributes.title, 'markdown').blocks)
  end
  if typst then
    return pandoc.Blocks({ raw('#draft-callout("' .. kind .. '")['), pandoc.Para({ pandoc.Strong(title) }) }) .. div.content .. pandoc.Blocks({ raw(']') })
  end
  return pandoc.Blocks({ raw('<aside class="callout callout-' .. kind .. '" role="note">'), pandoc.Div({ pandoc.Plain(title) }, pandoc.Attr('', { 'callout-title' })) })
    .. div.content .. pandoc.Blocks({ raw('</aside>') })
end

-- 5. References become links, divs their boxes. ----------------------------------------------------------------------

local cited = false

local function reference(citation)
  local id = citation.id:gsub('^%u', string.lower)
  local entry = numbers[id]
  if not entry then
    warn('nothing is labelled ' .. id .. ' (referred to in the text)')
    return pandoc.Inlines({ pandoc.Strong('[' .. id .. ': not in this report]') })
  end
  local text = entry.text and pandoc.Inlines(entry.text) or entry.head
  if entry.number and citation.mode == 'SuppressAuthor' then text = pandoc.Inlines(entry.number) end
  if entry.number and #citation.prefix > 0 then text = citation.prefix .. { pandoc.Space() } .. pandoc.Inlines(entry.number) end
  return pandoc.Inlines({ pandoc.Link(text, '#' .. id, '', pandoc.Attr('', { 'reference' })) }) .. citation.suffix
end

local exhibits = {}
function exhibits.Div(div)
  if not (numbers[div.identifier] and kind_of(div.identifier)) then return nil end
  if kind_of(div.identifier) == 'eq' then return equation(div) end
  local last, caption = div.content[#div.content], pandoc.Inlines({})
  if last and last.t == 'Para' then caption = div.content:remove(#div.content).content end
  return exhibit(div.identifier, div.content, caption)
end
function exhibits.Figure(figure)
  if not (numbers[figure.identifier] and kind_of(figure.identifier)) then return nil end
  return exhibit(figure.identifier, figure.content, pandoc.utils.blocks_to_inlines(figure.caption.long))
end
function exhibits.Table(tbl)
  local id = tbl.identifier
  if not (numbers[id] and kind_of(id)) then return nil end
  local caption = pandoc.utils.blocks_to_inlines(tbl.caption.long)
  tbl.identifier, tbl.caption = '', { long = {} }
  return exhibit(id, pandoc.Blocks({ tbl }), caption)
end

local resolve = {}
function resolve.Cite(cite)
  local parts, keys = pandoc.Inlines({}), pandoc.List({})
  for _, citation in ipairs(cite.citations) do
    if citation.id:match('^[Ss]ec%-') or kind_of(citation.id:lower()) then
      if #parts > 0 then parts:extend({ pandoc.Str(','), pandoc.Space() }) end
      parts:extend(reference(citation))
    else
      keys:insert(citation)
    end
  end
  cited = cited or #keys > 0
  if #parts == 0 then return nil end
  if #keys > 0 then parts:extend({ pandoc.Space(), pandoc.Cite(cite.content, keys) }) end
  return parts
end
function resolve.Link(link)
  local path = link.target:match('^#draft%-chapter:(.*)$')
  if path then link.target = '#' .. (first_heading[path] or path) end
  return link
end
local function checked_link(link)
  local id = link.target:match('^#(.+)$')
  if id and not ids[id] then -- typst would refuse the whole document
    warn('a link points to ' .. id .. ', which is not in this report')
    return link.content
  end
end
function resolve.Image(image)
  if not typst then return nil end -- pandoc's own form drops the alternative text, which PDF/UA asks for
  local alt = image.attributes.alt or stringify(image.caption)
  local width = image.attributes.width and ', width: ' .. image.attributes.width or ''
  return pandoc.RawInline('typst', '#box(image(' .. typst_string(image.src) .. width .. ', alt: ' .. typst_string(alt) .. '))')
end
function resolve.Math(math)
  if not typst then return nil end -- PDF/UA asks for a text beside every formula: its TeX source
  local source = pandoc.write(pandoc.Pandoc({ pandoc.Plain({ math }) }), 'typst'):gsub('%s+$', '')
  return pandoc.RawInline('typst', '#[#set math.equation(alt: ' .. typst_string(math.text) .. ')\n' .. source .. '];')
end
function resolve.Div(div)
  for _, class in ipairs(div.classes) do
    local kind = class:match('^callout%-(.+)$')
    if kind then return callout(div, kind) end
  end
  if typst and div.classes:includes('answer') then
    return pandoc.Blocks({ raw('#draft-answer[') }) .. div.content .. pandoc.Blocks({ raw(']') })
  end
  if slides and div.classes:includes('notes') then return {} end
end
function resolve.RawBlock(block)
  if typst and block.format == 'html' then return blocks_of_html(block.text) end
end

-- One list of references: the last `#refs` of the document, or a new one at its end.
local function references(doc)
  local refs = nil
  for index = #doc.blocks, 1, -1 do
    local block = doc.blocks[index]
    if block.t == 'Div' and block.identifier == 'refs' then
      if refs then doc.blocks:remove(index) end
      refs = true
    end
  end
  if cited and not refs and not slides and doc.meta.bibliography then
    doc.blocks:insert(pandoc.Header(1, 'References', pandoc.Attr('references', { 'unnumbered' })))
    doc.blocks:insert(pandoc.Div({}, pandoc.Attr('refs')))
  end
  return doc
end

function Pandoc(doc)
  slides = stringify(doc.meta['draft-mode'] or '') == 'slides'
  for kind, name in pairs(names) do
    names[kind] = stringify((doc.meta.language or {})['crossref-' .. kind .. '-title'] or name)
  end
  doc = doc:walk(prepare):walk(count):walk(exhibits):walk(resolve)
  doc = references(doc)
  if doc.meta.bibliography then doc = pandoc.utils.citeproc(doc) end
  doc:walk({ Div = function(div) ids[div.identifier] = true end })
  return doc:walk({ Link = checked_link })
end
