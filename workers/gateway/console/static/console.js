// Local times, fresh figures, one tick for all. Every page works without this script.
'use strict';

const two = (number) => String(number).padStart(2, '0');

function local(at) {
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  if (at.toDateString() === new Date().toDateString()) return time;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

function showLocalTimes(root) {
  for (const each of root.querySelectorAll('time[data-local]')) {
    each.title = each.textContent;
    each.textContent = local(new Date(each.dateTime));
    each.removeAttribute('data-local');
  }
}

function sayZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  document.getElementById('zone').textContent = `Times are in ${zone || 'your zone'}`;
}

function offline(words) {
  const place = document.getElementById('offline');
  place.hidden = !words;
  if (place.textContent !== words) place.textContent = words;
}

// Puts what has changed into this page, except where the keyboard focus is.
function freshen(fresh) {
  showLocalTimes(fresh);
  for (const old of document.querySelectorAll('[data-live]')) {
    const now = fresh.getElementById(old.id);
    if (!now || old.innerHTML === now.innerHTML || old.contains(document.activeElement)) continue;
    old.innerHTML = now.innerHTML;
  }
  const polled = document.getElementById('polled');
  if (!fresh.getElementById('polled')?.dataset.poll) delete polled.dataset.poll;
  document.title = fresh.title;
}

// Asks for this page again while it is visible.
async function poll(seen) {
  if (document.hidden) return seen;
  try {
    const answer = await fetch(location.href, { headers: { 'X-Console-Live': '1' }, cache: 'no-store' });
    if (answer.redirected) {
      location.reload();
      return seen;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    freshen(new DOMParser().parseFromString(await answer.text(), 'text/html'));
    offline('');
    return new Date();
  } catch {
    offline(`No connection. This page shows the state at ${local(seen)}.`);
    return seen;
  }
}

async function keepFresh() {
  let seen = new Date();
  for (;;) {
    const asked = document.querySelector('[data-poll]');
    if (!asked) return;
    await new Promise((resolve) => {
      const again = () => { clearTimeout(timer); document.removeEventListener('visibilitychange', again); resolve(); };
      const timer = setTimeout(again, asked.dataset.poll * 1000);
      document.addEventListener('visibilitychange', again);
    });
    seen = await poll(seen);
  }
}

function tickAll() {
  const all = document.getElementById('tick-all');
  if (!all) return;
  all.hidden = false;
  all.addEventListener('change', () => {
    for (const each of document.querySelectorAll('input[name=id][form=selected]')) each.checked = all.checked;
  });
}

// The server acts once on a form that is sent twice; this only shows that the first click worked.
function sendOnce() {
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (form.method === 'post') {
      form.dataset.sent = '1';
      event.submitter?.setAttribute('aria-disabled', 'true');
    }
  });
  window.addEventListener('pageshow', () => {
    for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent;
    for (const each of document.querySelectorAll('[aria-disabled]')) each.removeAttribute('aria-disabled');
  });
}

showLocalTimes(document);
sayZone();
tickAll();
sendOnce();
keepFresh();
