// Passkeys: the one thing that cannot be done without script. Loaded only by pages with a form[data-passkey].
//
//   form[data-passkey=get|create][data-options=path][data-rp=name][data-origin=address]
//     fields ceremony and answer; what this script cannot do is said in its [data-passkey-why].
// A submit asks the server for options, lets the browser ask the person, puts the answer into the form and sends it. Nothing is sent elsewhere.
'use strict'
;(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
  const keys = (list) => (list || []).map((k) => ({ ...k, id: bytes(k.id) }))

  function impossible(form) {
    const { rp, origin } = form.dataset
    if (location.hostname !== rp) return `Passkeys of this server work under ${origin} only. Open it there.`
    if (!isSecureContext) return 'Passkeys need https. Open this page by https.'
    if (!window.PublicKeyCredential || !navigator.credentials) return 'This browser has no passkeys, or they are switched off. Use the password and a code.'
    return ''
  }

  function say(form, sentence) {
    const why = form.querySelector('[data-passkey-why]')
    why.textContent = sentence
    why.hidden = sentence === ''
  }

  const refusals = {
    NotAllowedError: 'Nothing was chosen, or the time ran out. Try again.',
    InvalidStateError: 'This device already has a passkey for you here.',
    SecurityError: 'The browser refuses passkeys for this address.',
    NotSupportedError: 'This device cannot make a passkey that checks a PIN, a finger or a face.',
    ConstraintError: 'This device cannot check that it is you: set a PIN, a finger or a face up first.',
  }

  async function answer(form) {
    const reply = await fetch(form.dataset.options, { method: 'POST', headers: { Accept: 'application/json' } })
    if (reply.redirected) {
      location.assign(reply.url) // to sign in, or to show the second factor first
      return false
    }
    if (!(reply.headers.get('Content-Type') || '').startsWith('application/json')) {
      throw new Error(reply.status === 429 ? 'Too many tries. Wait a while and try again.' : 'The server did not begin. Load the page again.')
    }
    const { ceremony, publicKey: o, error } = await reply.json()
    if (error) throw new Error(error)
    const publicKey = { ...o, challenge: bytes(o.challenge) }
    let key
    if (form.dataset.passkey === 'create') {
      Object.assign(publicKey, { user: { ...o.user, id: bytes(o.user.id) }, excludeCredentials: keys(o.excludeCredentials) })
      key = await navigator.credentials.create({ publicKey })
    } else {
      publicKey.allowCredentials = keys(o.allowCredentials)
      key = await navigator.credentials.get({ publicKey })
    }
    const r = key.response
    const response = { clientDataJSON: text(r.clientDataJSON) }
    if (r.attestationObject) Object.assign(response, { attestationObject: text(r.attestationObject), transports: r.getTransports ? r.getTransports() : [] })
    else Object.assign(response, { authenticatorData: text(r.authenticatorData), signature: text(r.signature), userHandle: r.userHandle ? text(r.userHandle) : undefined })
    form.elements.ceremony.value = ceremony
    form.elements.answer.value = JSON.stringify({ id: key.id, rawId: text(key.rawId), type: key.type,
      authenticatorAttachment: key.authenticatorAttachment || undefined, clientExtensionResults: key.getClientExtensionResults(), response })
    return true
  }

  // Before app.js: what has no answer yet is not sent and not counted as sent.
  addEventListener('submit', async (e) => {
    const form = e.target
    if (!form.matches('form[data-passkey]') || form.elements.answer.value !== '') return
    e.preventDefault()
    e.stopImmediatePropagation()
    if (form.dataset.busy) return
    form.dataset.busy = '1'
    say(form, '')
    try {
      if (await answer(form)) form.requestSubmit()
    } catch (err) {
      say(form, refusals[err.name] || err.message)
    } finally {
      delete form.dataset.busy
    }
  }, true)

  for (const form of document.querySelectorAll('form[data-passkey]')) {
    const why = impossible(form)
    say(form, why)
    for (const b of form.querySelectorAll('button')) b.disabled = why !== ''
  }
  addEventListener('pageshow', (e) => {
    if (e.persisted) for (const form of document.querySelectorAll('form[data-passkey]')) form.elements.answer.value = ''
  })
})()
