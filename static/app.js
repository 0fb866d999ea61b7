// The small script of Countinghouse. Every page works without it; it saves steps.
// Nothing here sends money anywhere: keys move, show and copy, they never submit.
//
// What the markup says (all set by views/ui):
//   data-copy="text"          button copies text
//   table[data-keys]          j k move between rows, space peeks, c copies, Enter opens
//   tr[data-href][data-peek][data-ref]
//   form[data-once]           its buttons rest after the first submit
//   form[data-guard]          asks before unsaved changes are left
//   form[data-preference]     theme and rows, kept in cookies ch_theme and ch_density
//   [data-countdown=instant]  seconds left, data-now is the server's clock; data-ended is said afterwards
//   [data-dialog=id]          opens <dialog id>
//   [data-command]            a link that the palette offers
//   [data-focus]              takes the focus when it appears: the error summary
// The palette asks GET <search form's action>?q=… with Accept: application/json and reads
//   {"results":[{"label":"…","href":"/…","kind":"Transactions","note":"…"}]}
'use strict'
;(() => {
  const $ = (sel, root = document) => root.querySelector(sel)
  const $$ = (sel, root = document) => [...root.querySelectorAll(sel)]
  const on = (name, fn, opt) => document.addEventListener(name, fn, opt)

  // el builds an element; children are text or elements, never markup.
  function el(tag, attrs = {}, ...children) {
    const node = document.createElement(tag)
    for (const [k, v] of Object.entries(attrs)) if (v !== false && v != null) node.setAttribute(k, v === true ? '' : v)
    node.append(...children)
    return node
  }

  const spriteOf = () => ($('svg.icon use')?.getAttribute('href') || '').split('#')[0]
  function icon(name) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
    const use = document.createElementNS('http://www.w3.org/2000/svg', 'use')
    svg.setAttribute('class', 'icon')
    svg.setAttribute('aria-hidden', 'true')
    use.setAttribute('href', spriteOf() + '#' + name)
    svg.append(use)
    return svg
  }

  function say(text, tone = 'info', stays = 5000) {
    const box = $('#toasts')
    if (!box) return
    const words = el('div', { class: 'words' }, el('p', {}, text))
    const note = el('div', { class: 'notice ' + tone }, icon(tone === 'bad' ? 'circle-alert' : 'circle-check'), words)
    box.append(note)
    setTimeout(() => note.remove(), tone === 'bad' ? 12000 : stays)
  }

  // Copy.
  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text)
    } catch {
      say('The browser did not allow copying. Select the text and copy it by hand.', 'bad')
      return
    }
    say('Copied ' + (text.length > 40 ? text.slice(0, 37) + '…' : text), 'ok', 1800)
    const use = button && $('use', button)
    if (!use) return
    const before = use.getAttribute('href')
    if (button.classList.contains('done')) return
    button.classList.add('done')
    use.setAttribute('href', before.split('#')[0] + '#check')
    setTimeout(() => {
      use.setAttribute('href', before)
      button.classList.remove('done')
    }, 1600)
  }

  // Rows.
  let current = null
  const rowsOf = () => $$('table[data-keys] > tbody > tr')
  const rowIsHere = () => current && current.isConnected
  function step(by) {
    const rows = rowsOf()
    if (!rows.length) return
    const focused = document.activeElement?.closest('table[data-keys] > tbody > tr')
    const from = rows.indexOf(focused || (rowIsHere() ? current : null))
    const at = from < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, from + by))
    if (rowIsHere()) current.removeAttribute('data-current')
    current = rows[at]
    current.setAttribute('data-current', '')
    const link = $('a[href]', current)
    if (link) link.focus({ preventScroll: true })
    current.scrollIntoView({ block: 'nearest' })
  }
  const rowInHand = () => document.activeElement?.closest('tr[data-href], tr[data-ref]') || (rowIsHere() ? current : null)

  // Peek shows a page's content beside the list, to read only: forms and buttons stay on the page itself.
  async function peek(url) {
    let box = $('#peek')
    if (!box) {
      box = dialog('peek', 'At a glance', 'peek')
      document.body.append(box)
    }
    const body = $('.dialog-body', box)
    body.replaceChildren(el('p', { class: 'soft' }, 'Loading…'))
    if (!box.open) box.showModal()
    try {
      const answer = await fetch(url, { headers: { 'X-Peek': '1', Accept: 'text/html' }, credentials: 'same-origin' })
      const doc = new DOMParser().parseFromString(await answer.text(), 'text/html')
      const content = $('#content', doc) || doc.body
      $$('form, script, .actions, .crumbs, [autofocus]', content).forEach((n) => n.remove())
      $$('[id]', content).forEach((n) => n.removeAttribute('id'))
      body.replaceChildren(...[...content.childNodes].map((n) => document.importNode(n, true)))
      body.append(el('p', {}, el('a', { href: url }, 'Open the page')))
    } catch {
      body.replaceChildren(el('p', {}, 'This could not be loaded. '), el('a', { href: url }, 'Open the page'))
    }
  }

  function dialog(id, title, extra = '') {
    const close = el('button', { class: 'button quiet small only', type: 'submit' }, icon('x'), el('span', { class: 'sr' }, 'Close'))
    const head = el('div', { class: 'dialog-head' }, el('h2', { id: id + '-title' }, title), el('form', { method: 'dialog' }, close))
    return el('dialog', { class: 'dialog ' + extra, id, 'aria-labelledby': id + '-title' }, head, el('div', { class: 'dialog-body', tabindex: '-1' }))
  }

  function showKeys() {
    let box = $('#keys')
    if (!box) {
      box = dialog('keys', 'Keys')
      const list = el('dl', { class: 'terms' })
      const keys = [['/  or  Ctrl K', 'find a page, a reference, a person'], ['j  k', 'next row, row before'], ['Space', 'look at the row without leaving the list'],
        ['Enter', 'open the row'], ['c', 'copy the reference of the row'], ['?', 'this list'], ['Esc', 'close what is open']]
      for (const [key, what] of keys) list.append(el('dt', {}, el('kbd', {}, key)), el('dd', {}, what))
      $('.dialog-body', box).append(list, el('p', { class: 'soft' }, 'No single key moves money.'))
      document.body.append(box)
    }
    if (!box.open) box.showModal()
  }

  // Palette.
  const palette = { box: null, input: null, list: null, none: null, picked: 0, abort: null, timer: 0, found: [] }
  function openPalette() {
    if (!palette.box) buildPalette()
    if (palette.box.open) return
    palette.input.value = ''
    palette.found = []
    drawPalette()
    palette.box.showModal()
    palette.input.focus()
  }
  function buildPalette() {
    const p = palette
    p.input = el('input', { type: 'text', role: 'combobox', 'aria-expanded': 'true', 'aria-controls': 'palette-list', 'aria-autocomplete': 'list',
      'aria-label': 'Find a page, a reference or a person', placeholder: 'Find a page, a reference, a person', autocomplete: 'off', maxlength: '200', spellcheck: 'false' })
    p.list = el('ul', { id: 'palette-list', role: 'listbox', 'aria-label': 'Results' })
    p.none = el('p', { class: 'none', role: 'status' })
    p.box = el('dialog', { class: 'dialog palette', 'aria-label': 'Find' }, el('div', { class: 'find' }, icon('search'), p.input), p.list, p.none)
    p.input.addEventListener('input', () => {
      p.picked = 0
      drawPalette()
      clearTimeout(p.timer)
      p.timer = setTimeout(askServer, 160)
    })
    p.input.addEventListener('keydown', (e) => {
      const all = $$('[role=option]', p.list)
      if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
        e.preventDefault()
        p.picked = (p.picked + (e.key === 'ArrowDown' ? 1 : -1) + all.length) % Math.max(1, all.length)
        mark(all)
      } else if (e.key === 'Enter') {
        e.preventDefault()
        if (all[p.picked]) go(all[p.picked].dataset.href)
        else if (p.input.value.trim()) go(searchURL(p.input.value))
      }
    })
    p.list.addEventListener('click', (e) => {
      const hit = e.target.closest('[role=option]')
      if (hit) go(hit.dataset.href)
    })
    p.box.addEventListener('click', (e) => { if (e.target === p.box) p.box.close() })
    document.body.append(p.box)
  }
  function go(href) {
    palette.box?.close()
    // Only addresses of this origin: an answer of the server cannot lead outside.
    const url = new URL(href, location.href)
    if (url.origin === location.origin) location.assign(url)
  }
  const searchForm = () => $('form[role=search]')
  function searchURL(q) {
    const url = new URL(searchForm()?.getAttribute('action') || '/search', location.href)
    url.searchParams.set('q', q.trim())
    return url.href
  }
  async function askServer() {
    const q = palette.input.value.trim()
    palette.abort?.abort()
    if (q.length < 2 || !searchForm()) {
      palette.found = []
      return drawPalette()
    }
    palette.abort = new AbortController()
    try {
      const answer = await fetch(searchURL(q), { headers: { Accept: 'application/json' }, credentials: 'same-origin', signal: palette.abort.signal })
      if (!answer.ok || !(answer.headers.get('Content-Type') || '').startsWith('application/json')) return
      const body = await answer.json()
      palette.found = (Array.isArray(body.results) ? body.results : []).slice(0, 20)
      drawPalette()
    } catch { /* another key was pressed, or the network is away: the pages stay listed */ }
  }
  function drawPalette() {
    const p = palette
    const q = p.input.value.trim().toLowerCase()
    const pages = $$('a[data-command], .page-head a.button[href]')
      .map((a) => ({ label: ($('span:not(.sr):not(.count)', a) || a).textContent.trim(), href: a.href, kind: 'Pages' }))
      .filter((c) => !q || c.label.toLowerCase().includes(q))
    const all = [...pages.slice(0, 14), ...p.found]
    p.list.replaceChildren()
    let kind = null
    all.forEach((c, i) => {
      if (c.kind !== kind) {
        kind = c.kind
        p.list.append(el('li', { class: 'group', role: 'presentation' }, String(kind || 'Found')))
      }
      const line = el('li', { role: 'option', id: 'palette-' + i, 'data-href': String(c.href || '') }, el('span', {}, String(c.label || '')))
      if (c.note) line.append(el('span', { class: 'note' }, String(c.note)))
      p.list.append(line)
    })
    p.none.textContent = all.length ? '' : q ? 'No page of this name. Enter searches everything.' : ''
    p.none.hidden = !p.none.textContent
    p.picked = Math.min(p.picked, Math.max(0, all.length - 1))
    mark($$('[role=option]', p.list))
  }
  function mark(all) {
    all.forEach((o, i) => o.setAttribute('aria-selected', String(i === palette.picked)))
    const hit = all[palette.picked]
    if (hit) hit.scrollIntoView({ block: 'nearest' })
    palette.input.setAttribute('aria-activedescendant', hit ? hit.id : '')
  }

  // Keys.
  // A field that is no longer shown (the palette just closed) is not typed in.
  const typing = (t) => t.closest('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]')?.getClientRects().length
  on('keydown', (e) => {
    if ((e.ctrlKey || e.metaKey) && !e.shiftKey && !e.altKey && e.key.toLowerCase() === 'k') {
      e.preventDefault()
      return openPalette()
    }
    if (e.key === 'Escape') return closeMenus(null, true)
    if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || typing(e.target) || $('dialog[open]')) return
    const row = rowInHand()
    switch (e.key) {
      case '/': e.preventDefault(); openPalette(); break
      case '?': showKeys(); break
      case 'j': step(1); break
      case 'k': step(-1); break
      case 'c': if (row?.dataset.ref) copy(row.dataset.ref); break
      case ' ':
        if (e.target.closest('button, summary, input')) return
        if (row?.dataset.peek) { e.preventDefault(); peek(new URL(row.dataset.peek, location.origin + row.dataset.href + '/').href) }
    }
  })

  // Clicks.
  function closeMenus(except, refocus) {
    for (const d of $$('details.pop[open]')) {
      if (d === except) continue
      if (refocus && d.contains(document.activeElement)) $('summary', d)?.focus()
      d.open = false
    }
  }
  let lastTick = null
  on('click', (e) => {
    const t = e.target
    closeMenus(t.closest('details.pop'))
    const copier = t.closest('[data-copy]')
    if (copier) return copy(copier.dataset.copy, copier)
    const opener = t.closest('[data-dialog]')
    if (opener) return document.getElementById(opener.dataset.dialog)?.showModal()
    if (t.matches('[data-tick-all]')) return tickAll(t)
    if (t.matches('.tick input[name]')) return tick(t, e.shiftKey)
    const row = t.closest('tr[data-href]')
    if (!row || t.closest('a, button, input, label, summary, select, textarea') || e.button !== 0) return
    if (String(getSelection())) return
    if (e.ctrlKey || e.metaKey) open(row.dataset.href, '_blank', 'noopener')
    else location.assign(row.dataset.href)
  })

  const ticks = (table) => $$('tbody .tick input[name]', table)
  function tickAll(box) {
    const table = box.closest('table')
    ticks(table).forEach((i) => { i.checked = box.checked })
    tally(table)
  }
  function tick(box, range) {
    const table = box.closest('table')
    const all = ticks(table)
    if (range && lastTick && all.includes(lastTick)) {
      const [a, b] = [all.indexOf(lastTick), all.indexOf(box)].sort((x, y) => x - y)
      all.slice(a, b + 1).forEach((i) => { i.checked = box.checked })
    }
    lastTick = box
    tally(table)
  }
  function tally(table) {
    const all = ticks(table)
    const n = all.filter((i) => i.checked).length
    const head = $('[data-tick-all]', table)
    if (head) {
      head.checked = n > 0 && n === all.length
      head.indeterminate = n > 0 && n < all.length
    }
    const text = $('[data-selection-text]', table.closest('.card, form, main') || document)
    if (text) text.textContent = n + ' selected'
  }

  // Forms.
  const dirty = new Set()
  on('input', (e) => {
    const form = e.target.form
    if (form?.matches('[data-guard]')) dirty.add(form)
  })
  const unsaved = () => [...dirty].some((f) => f.isConnected)
  addEventListener('beforeunload', (e) => { if (unsaved()) e.preventDefault() })

  function rest(form) {
    form.dataset.sent = '1'
    setTimeout(() => buttonsOf(form).forEach((b) => { b.disabled = true; b.setAttribute('aria-busy', 'true') }))
    // A lost network must not leave a dead page; the server's one-time token is what prevents a second effect.
    setTimeout(() => wake(form), 20000)
  }
  function wake(form) {
    if (!form.dataset.sent) return
    delete form.dataset.sent
    buttonsOf(form).forEach((b) => { b.disabled = false; b.removeAttribute('aria-busy') })
  }
  // Buttons that the server disabled for a reason belong to no form action and are type=button.
  const buttonsOf = (form) => [...form.elements].filter((b) => b.tagName === 'BUTTON' && b.type === 'submit' && !b.dataset.expired)
  on('submit', (e) => {
    const form = e.target
    if (form.dataset.preference) {
      e.preventDefault()
      return prefer(form.dataset.preference, e.submitter?.value, form)
    }
    dirty.delete(form)
    if (!form.matches('[data-once]')) return
    if (form.dataset.sent) {
      e.preventDefault()
      e.stopImmediatePropagation()
      return
    }
    rest(form)
  }, true)
  addEventListener('pageshow', (e) => { if (e.persisted) $$('form[data-once]').forEach(wake) })

  function prefer(name, value, form) {
    if (!value) return
    const secure = location.protocol === 'https:' ? '; Secure' : ''
    document.cookie = `ch_${name}=${encodeURIComponent(value)}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`
    document.documentElement.dataset[name] = value
    for (const b of $$('button', form)) b.setAttribute('aria-pressed', String(b.value === value))
  }

  for (const name of ['dragover', 'dragleave', 'drop']) {
    on(name, (e) => {
      const zone = e.target.closest?.('.drop')
      if (!zone) return
      e.preventDefault()
      zone.classList.toggle('over', name === 'dragover')
      const input = $('input[type=file]', zone)
      if (name === 'drop' && input && e.dataTransfer.files.length) {
        input.files = e.dataTransfer.files
        input.dispatchEvent(new Event('change', { bubbles: true }))
      }
    })
  }

  // Countdowns run on the server's clock: its "now" plus the time since the element appeared.
  const born = new WeakMap()
  function countdowns() {
    for (const c of $$('[data-countdown]:not([data-over])')) {
      if (!born.has(c)) born.set(c, performance.now())
      const left = Math.ceil((Date.parse(c.dataset.countdown) - Date.parse(c.dataset.now) - (performance.now() - born.get(c))) / 1000)
      if (!Number.isFinite(left)) continue
      if (left > 0) {
        const text = left < 100 ? left + ' s left' : Math.floor(left / 60) + ' min ' + String(left % 60).padStart(2, '0') + ' s left'
        if (c.textContent !== text) c.textContent = text
        c.classList.toggle('soon', left <= 10)
        continue
      }
      c.dataset.over = '1'
      c.textContent = c.dataset.ended || 'expired'
      const form = c.closest('form') || $(`form#${CSS.escape(c.dataset.form || 'none')}`)
      if (form) {
        for (const b of buttonsOf(form)) {
          if (b.hasAttribute('data-lasts')) continue // the way back stays open
          b.disabled = true
          b.dataset.expired = '1'
          if (c.dataset.why) b.after(el('span', { class: 'why', role: 'status' }, c.dataset.why))
        }
      }
      c.dispatchEvent(new CustomEvent('expired', { bubbles: true }))
    }
  }
  setInterval(countdowns, 250)

  // htmx: focus, a bar while waiting, and words when something fails.
  let before = null
  const bar = el('div', { class: 'loading-bar', 'aria-hidden': 'true' })
  let waiting = 0
  let barTimer = 0
  function wait(by) {
    waiting = Math.max(0, waiting + by)
    clearTimeout(barTimer)
    if (waiting) barTimer = setTimeout(() => bar.classList.add('on'), 120)
    else bar.classList.remove('on')
  }
  const quiet = (e) => (e.detail.elt?.getAttribute?.('hx-trigger') || '').startsWith('every')
  on('htmx:beforeRequest', (e) => {
    const target = e.detail.target
    if (unsaved() && e.detail.elt.tagName !== 'FORM' && target && [...dirty].some((f) => target.contains(f))) {
      if (!confirm('Leave without saving what you typed?')) return e.preventDefault()
      dirty.clear()
    }
    if (!quiet(e)) wait(1)
  })
  on('htmx:afterRequest', (e) => {
    if (!quiet(e)) wait(-1)
    const form = e.detail.elt.closest?.('form[data-once]')
    if (form) wake(form)
  })
  on('htmx:beforeSwap', (e) => {
    const a = document.activeElement
    before = a && a !== document.body && e.detail.target?.contains(a)
      ? { id: a.id, name: a.getAttribute('name'), href: a.getAttribute('href'), label: a.getAttribute('aria-label') || a.textContent.trim(), tag: a.tagName }
      : null
  })
  on('htmx:afterSettle', (e) => {
    arrived(document)
    if (!before || (document.activeElement && document.activeElement !== document.body)) return
    const root = e.detail.target?.isConnected ? e.detail.target : $('#content')
    const same = before.id ? document.getElementById(before.id)
      : root && $$(before.tag, root).find((n) => (before.href && n.getAttribute('href') === before.href) || (before.name && n.getAttribute('name') === before.name)
        || (n.getAttribute('aria-label') || n.textContent.trim()) === before.label)
    ;(same || $('#content'))?.focus({ preventScroll: true })
    before = null
  })
  function failed(e, words) {
    const elt = e.detail.elt
    // A link that failed is followed plainly, so that the server's own page says why.
    if (elt?.hasAttribute?.('hx-push-url') && elt.getAttribute('href') && e.detail.xhr?.status) return location.assign(elt.getAttribute('href'))
    if (!quiet(e)) say(words, 'bad')
  }
  on('htmx:responseError', (e) => {
    const s = e.detail.xhr.status
    failed(e, s === 401 ? 'You have been signed out. Reload the page to sign in again.' : s === 403 ? 'You are not allowed to do this.' : s === 429 ? 'Too many requests. Wait a moment and try again.' : `The server answered ${s}. Nothing on this page has changed.`)
  })
  on('htmx:sendError', (e) => failed(e, 'The server cannot be reached. Nothing on this page has changed.'))
  on('htmx:timeout', (e) => failed(e, 'The server has not answered in time. Reload the page before you try again.'))

  function arrived(root) {
    const first = $('[data-focus]:not([data-focused])', root)
    if (first) {
      first.dataset.focused = '1'
      first.focus()
    }
    $$('table').forEach((t) => { if ($('[data-tick-all]', t) && ticks(t).some((i) => i.checked)) tally(t) })
    countdowns()
  }
  document.body.append(bar)
  arrived(document)
})()
