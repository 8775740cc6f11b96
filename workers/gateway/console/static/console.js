// Keeps pages fresh, keeps what is typed, sends a form once. Every page works without this script.
'use strict';

const ZONE = 'vd-console-zone';
const DRAFT = 'vd-console-draft';
const POLL = 5000; // ms between two requests where a page has no stream
const AGAIN = 30000; // ms after which a stream is tried again
const SILENT = 30000; // ms without a word after which a stream is given up

const byId = (id) => document.getElementById(id);
const time = (at) => at.toLocaleTimeString('en-GB', { timeZone: document.body.dataset.zone });

// Tells the server once in which time zone this browser is; people may choose another one.
function tellZone() {
  if (document.cookie.split('; ').some((each) => each.startsWith(`${ZONE}=`))) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  if (zone) document.cookie = `${ZONE}=${zone}; Path=/console; Max-Age=31536000; SameSite=Strict${secure}`;
}

// Who chooses another zone comes back to this page.
function comeBack() {
  const link = document.querySelector('footer a[href$="/time-zone"]');
  if (link) link.href += `?next=${encodeURIComponent(location.pathname + location.search)}`;
}

// Shows a message above the page, unless the same is there; `said` tells it from others.
function show(said, message) {
  const place = byId('trouble');
  if (place.dataset.said === said) return;
  place.dataset.said = said;
  place.replaceChildren(message);
  place.hidden = !said;
}

function say(words, ...link) {
  const message = byId('message').content.cloneNode(true);
  message.querySelector('p').append(words, ...link);
  show(words, message);
}

function loginLink() {
  const link = document.createElement('a');
  link.href = `/console/login?next=${encodeURIComponent(location.pathname + location.search)}`;
  link.textContent = 'Log in again';
  return link;
}

// From now on the page is old: nothing on it, nor its title, may say that all is well.
function old(title) {
  live.wrong = true;
  document.body.dataset.old = '';
  document.title = title;
}

const shownIs = () => `This page shows the state at ${time(live.seen)}.`;

// Whether somebody is at work in a part: it is not replaced under their hands.
function busy(part) {
  if (part.contains(document.activeElement) || part.matches(':active')) return true;
  return [...part.querySelectorAll('input')].some((each) => each.value !== each.defaultValue
    || each.checked !== each.defaultChecked);
}

// Puts the parts that changed into the page.
function freshen(parts) {
  for (const [id, html] of Object.entries(parts)) {
    const fresh = document.createElement('template');
    fresh.innerHTML = html;
    const old = byId(id);
    if (id === 'title') live.title = fresh.content.textContent;
    else if (id === 'which') sayChanged(html);
    else if (old && old.innerHTML !== fresh.innerHTML && !busy(old)) old.replaceChildren(fresh.content);
  }
}

// Says that a list has others in it by now; it does not move under one's hands.
function sayChanged(ids) {
  const here = [...document.querySelectorAll('tr[data-live]')].map((each) => each.id.replace('live-', ''));
  byId('changed').hidden = here.join(' ') === ids;
}

// The stream of this page; `seen` is when it was last known to be right, `title` what it was called
// then, `wrong` whether it is not right now.
const live = { stream: null, timer: 0, silence: 0, seen: new Date(), title: document.title, wrong: false };

function loggedOut() {
  stop();
  keepDraft([...document.querySelectorAll('main form[method=post]')]);
  old('You are logged out');
  say('You are logged out. What you typed here is kept. ', loginLink());
}

// The stream said something: a connection that is gone may else never be noticed.
function heard() {
  clearTimeout(live.silence);
  live.silence = setTimeout(() => { stop(); lost(); poll(Date.now() + AGAIN); }, SILENT);
  if (!live.wrong) live.seen = new Date();
}

function lost() {
  old('No connection');
  say(`No connection. ${shownIs()}`);
}

// The gateway says why it has no such page now, in HTML.
function refused(html, title) {
  old(title);
  const message = document.createElement('template');
  message.innerHTML = html;
  const until = document.createElement('p');
  until.textContent = shownIs();
  message.content.querySelector('.banner > div').append(until);
  show(html, message.content);
}

function right() {
  live.seen = new Date();
  document.title = live.title;
  if (live.wrong) show('', ''); // and not what else is said
  live.wrong = false;
  delete document.body.dataset.old;
}

function stop() {
  live.stream?.close();
  live.stream = null;
  clearTimeout(live.timer);
  clearTimeout(live.silence);
}

function start() {
  stop();
  const stream = new EventSource(location.href);
  live.stream = stream;
  stream.addEventListener('parts', (event) => { freshen(JSON.parse(event.data)); right(); heard(); });
  stream.addEventListener('alive', heard);
  stream.addEventListener('trouble', (event) => {
    const { html, title } = JSON.parse(event.data);
    refused(html, title);
    heard();
  });
  stream.addEventListener('login', loggedOut);
  stream.addEventListener('error', () => {
    if (live.stream !== stream) return;
    if (stream.readyState === EventSource.CLOSED) poll(Date.now() + AGAIN);
    else live.timer = setTimeout(lost, 2000); // else it has connected again by then
  });
  stream.addEventListener('open', () => clearTimeout(live.timer));
}

// Puts the parts of a whole page into this one.
function fresher(page) {
  const parts = [...page.querySelectorAll('[data-live]')].map((each) => [each.id, each.innerHTML]);
  freshen(Object.fromEntries([...parts, ['title', page.title]]));
  right();
}

// Asks for the whole page every few seconds, until the stream is tried again.
async function poll(until) {
  try {
    const answer = await fetch(location.href, { headers: { 'X-Console-Live': '1' }, cache: 'no-store' });
    if (answer.redirected) { loggedOut(); return; }
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const problem = fresh.getElementById('told');
    if (problem) refused(problem.innerHTML, fresh.title);
    else if (!answer.ok) throw new Error(String(answer.status));
    else fresher(fresh);
  } catch {
    lost();
  }
  if (document.hidden) return;
  live.timer = Date.now() < until ? setTimeout(poll, POLL, until) : setTimeout(start, POLL);
}

// A page that nobody sees has no stream: browsers open only a few connections.
function keepFresh() {
  if (!document.querySelector('[data-live]')) return;
  start();
  document.addEventListener('visibilitychange', () => (document.hidden ? stop() : start()));
  window.addEventListener('pagehide', stop);
  window.addEventListener('pageshow', (event) => { if (event.persisted) start(); });
  window.addEventListener('offline', () => { stop(); lost(); });
  window.addEventListener('online', start);
}

// A page that could not be shown is asked for until it can be.
function askAgain() {
  const words = byId('again');
  if (!words) return;
  words.hidden = false;
  setInterval(async () => {
    const answer = await fetch(location.href, { headers: { 'X-Console-Live': '1' } }).catch(() => null);
    if (answer?.ok) location.reload();
  }, POLL);
}

// Keeps what was typed into forms, for when somebody has to log in before it can be sent.
function keepDraft(forms) {
  const fields = forms.flatMap((form) => [...form.elements])
    .filter((each) => each.name && !['hidden', 'password', 'submit'].includes(each.type))
    .map((each) => ({ name: each.name, value: each.value, checked: each.checked ?? null }));
  const at = forms[0]?.dataset.at ?? location.pathname + location.search;
  sessionStorage.setItem(DRAFT, JSON.stringify({ at, fields }));
}

// After a form: at the page to log in, go on from there; back at the form's page, fill it in again.
function takeDraft() {
  const draft = JSON.parse(sessionStorage.getItem(DRAFT) ?? 'null');
  if (!draft) return;
  const next = document.querySelector('form[action$="/login"] input[name=next]');
  if (next) {
    if (next.value === '/console') next.value = draft.at;
    sessionStorage.setItem(DRAFT, JSON.stringify({ ...draft, loggedOut: true }));
    return;
  }
  sessionStorage.removeItem(DRAFT);
  if (!draft.loggedOut || draft.at !== location.pathname + location.search) return;
  fillIn(draft.fields);
}

function fillIn(fields) {
  let filled = false;
  for (const field of fields) {
    const places = document.querySelectorAll(`main form[method=post] [name="${CSS.escape(field.name)}"]`);
    for (const place of places) {
      const choice = ['checkbox', 'radio'].includes(place.type);
      if (choice && place.value === field.value && place.checked !== field.checked) place.checked = field.checked;
      else if (choice || place.type === 'hidden' || place.value === field.value) continue;
      else place.value = field.value;
      place.closest('details')?.setAttribute('open', '');
      filled = true;
    }
  }
  if (filled) say('You were logged out before this was sent. It is filled in again: check it, and send it.');
}

// The server acts once on a form that is sent twice; this only shows that the first click worked.
function sendOnce() {
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (form.method !== 'post') return;
    form.dataset.sent = '1';
    event.submitter?.setAttribute('aria-disabled', 'true');
    if (form.closest('main') && !form.getAttribute('action').endsWith('/login')) keepDraft([form]);
  });
  window.addEventListener('pageshow', () => {
    for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent;
    for (const each of document.querySelectorAll('[aria-disabled]')) each.removeAttribute('aria-disabled');
  });
}

function tickAll() {
  const all = byId('tick-all');
  if (!all) return;
  all.hidden = false;
  all.addEventListener('change', () => {
    for (const each of document.querySelectorAll('input[name=id][form=selected]')) each.checked = all.checked;
  });
}

// A menu closes with Escape, and when one goes elsewhere.
function closeMenus() {
  for (const menu of document.querySelectorAll('header details')) {
    menu.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      menu.open = false;
      menu.querySelector('summary').focus();
    });
    document.addEventListener('click', (event) => { if (!menu.contains(event.target)) menu.open = false; });
    menu.addEventListener('focusout', (event) => {
      if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
    });
  }
}

tellZone();
comeBack();
takeDraft();
tickAll();
sendOnce();
closeMenus();
keepFresh();
askAgain();
