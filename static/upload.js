// The script of the page that takes documents in. Without it the form sends all files at once and the answer says what came of each.
// With it every file is a request of its own: progress, cancel, and again for one without the others; one that was refused for what is in it is
// chosen anew and takes the old one's place. It reads
//   form[data-upload][data-max-files][data-max-bytes]  [data-upload-list]  [data-upload-total]
// and the server's answer {"results":[{"name","ok","text","href"}]} or {"error"}. No two files travel at once: the line is the narrow place, and
// the order of the list is the order of arrival.
'use strict'
;(() => {
  const form = document.querySelector('form[data-upload]')
  if (!form) return
  const input = form.querySelector('input[type=file]')
  const list = form.querySelector('[data-upload-list]')
  const total = form.querySelector('[data-upload-total]')
  const button = form.querySelector('button[type=submit]')
  const maxFiles = Number(form.dataset.maxFiles)
  const maxBytes = Number(form.dataset.maxBytes)
  const types = (input.getAttribute('accept') || '').split(',')
  const rows = []
  let current = null
  let leaving = false
  let replaced = null // the refused row for which a file is being chosen

  function el(tag, attrs = {}, ...children) {
    const node = document.createElement(tag)
    for (const [k, v] of Object.entries(attrs)) if (v !== false && v != null) node.setAttribute(k, v === true ? '' : v)
    node.append(...children)
    return node
  }
  const size = (n) => (n < 1048576 ? Math.ceil(n / 1024) + ' KB' : (n / 1048576).toFixed(1).replace(/\.0$/, '') + ' MB')

  // refusal is what can be told before a byte leaves; the server looks again.
  function refusal(file) {
    const dot = file.name.lastIndexOf('.')
    if (dot < 0 || !types.includes(file.name.slice(dot).toLowerCase())) return 'Only PDF, PNG, JPEG and WEBP are taken.'
    if (file.size === 0) return 'The file is empty.'
    if (file.size > maxBytes) return `It has ${size(file.size)}; at most ${size(maxBytes)} are taken.`
    return ''
  }

  function add(file) {
    const row = { file, state: 'waiting', bar: el('progress', { max: '100', value: '0', 'aria-label': 'Progress of ' + file.name }), words: el('span', { class: 'soft small' }, 'waits'),
      act: el('button', { type: 'button', class: 'button small quiet' }) }
    row.node = el('li', {}, el('span', { class: 'name' }, file.name), el('span', { class: 'soft small' }, size(file.size)), row.bar, row.words, row.act)
    row.act.addEventListener('click', () => (row.state === 'waiting' || row.state === 'running' ? cancel(row) : row.state === 'refused' ? anew(row) : again(row)))
    const old = rows.findIndex((r) => ['refused', 'failed', 'cancelled'].includes(r.state) && (r === replaced || r.file.name === file.name))
    if (old < 0) {
      rows.push(row)
      list.append(row.node)
    } else {
      rows[old].node.replaceWith(row.node)
      rows[old] = row
    }
    replaced = null
    const open = rows.filter((r) => r.state === 'waiting' || r.state === 'running').length
    const why = open > maxFiles ? `At most ${maxFiles} files at once. Add it when the others are there.` : refusal(file)
    if (why) set(row, 'refused', why)
    else set(row, 'waiting', 'waits')
  }

  function set(row, state, words, href) {
    row.state = state
    row.node.dataset.state = state
    row.words.replaceChildren(href ? el('a', { href }, words) : words)
    row.bar.hidden = state !== 'running'
    const label = { waiting: 'Take out', running: 'Cancel', failed: 'Try again', cancelled: 'Try again', refused: 'Choose it anew' }[state]
    row.act.hidden = !label
    if (label) {
      row.act.textContent = label
      row.act.append(el('span', { class: 'sr' }, ' ' + row.file.name))
    }
    tally()
  }

  function tally() {
    const n = (s) => rows.filter((r) => r.state === s).length
    const left = n('waiting') + n('running')
    const bytes = rows.filter((r) => r.state === 'waiting').reduce((sum, r) => sum + r.file.size, 0)
    const bad = n('refused') + n('failed') + n('cancelled')
    total.textContent = !rows.length ? '' : `${n('done')} of ${rows.length} taken` + (bad ? `, ${bad} not` : '') + (left ? `, ${left} to go (${size(bytes)} wait)` : '')
    button.disabled = !n('waiting')
    if (leaving && !left) finish()
  }

  // finish: what came in is sorted on this same page, drawn anew by the server.
  function finish() {
    leaving = false
    if (rows.some((r) => r.state === 'failed' || r.state === 'refused' || r.state === 'cancelled')) {
      if (!form.querySelector('[data-sort]')) total.after(el('p', { 'data-sort': true }, el('a', { href: sorting(), class: 'button' }, 'Go on and sort what came in')))
      return
    }
    location.assign(sorting())
  }
  // sorting is this page with another query, so that a browser asks the server for it again.
  function sorting() {
    return location.pathname + '?done=' + rows.filter((r) => r.state === 'done').length + '#sort'
  }

  function cancel(row) {
    if (row.state === 'running') return row.xhr.abort()
    set(row, 'cancelled', 'taken out')
  }
  function anew(row) {
    replaced = row
    input.click()
  }
  function again(row) {
    set(row, 'waiting', 'waits')
    leaving = true
    next()
  }

  function next() {
    if (current) return
    const row = rows.find((r) => r.state === 'waiting')
    if (!row) return tally()
    current = row
    send(row)
  }

  function send(row) {
    const xhr = (row.xhr = new XMLHttpRequest())
    const ended = (state, words, href) => {
      current = null
      set(row, state, words, href)
      next()
    }
    set(row, 'running', 'starts')
    row.bar.value = 0
    xhr.upload.addEventListener('progress', (e) => {
      if (!e.lengthComputable) return
      const percent = Math.floor((e.loaded / e.total) * 100)
      row.bar.value = percent
      row.words.textContent = percent < 100 ? percent + ' %' : 'is looked into'
    })
    xhr.addEventListener('load', () => {
      let body = {}
      try { body = JSON.parse(xhr.responseText) } catch { /* a page instead of an answer: signed out, for example */ }
      const one = body.results?.[0]
      if (one) return ended(one.ok ? 'done' : 'refused', one.text, one.ok ? one.href : '')
      ended('failed', body.error || (xhr.status === 413 ? 'The file is too large.' : 'The server did not take it. Reload the page if this stays so.'))
    })
    xhr.addEventListener('error', () => ended('failed', 'The line broke. It is not known whether the file arrived: trying again keeps it only once.'))
    xhr.addEventListener('timeout', () => ended('failed', 'The server has not answered in time.'))
    xhr.addEventListener('abort', () => ended('cancelled', 'cancelled'))
    const data = new FormData()
    data.append('files', row.file, row.file.name)
    xhr.open('POST', form.getAttribute('action'))
    xhr.setRequestHeader('Accept', 'application/json')
    xhr.timeout = 600000
    xhr.send(data)
  }

  // Chosen files move into the list, so that more can be chosen.
  input.removeAttribute('required')
  input.addEventListener('change', () => {
    const goes = replaced // it was on its way already: what takes its place is sent at once
    for (const f of input.files) add(f)
    input.value = ''
    tally()
    if (goes) {
      leaving = true
      next()
    }
  })
  input.addEventListener('cancel', () => { replaced = null })
  form.addEventListener('submit', (e) => {
    e.preventDefault()
    leaving = true
    next()
  })
  addEventListener('beforeunload', (e) => { if (current) e.preventDefault() })
  tally()
})()
