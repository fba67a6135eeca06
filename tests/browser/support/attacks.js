// What the pages of attackers do, and what our own page does: a function for each line of the truth table.

import { readFileSync } from "node:fs";

const TABLE = JSON.parse(readFileSync(new URL("../data/browser-truth-table.json", import.meta.url), "utf8"));
/** What the table measured, by the name of the situation. */
export const MEASURED = new Map(TABLE.requests.map((row) => [row.scenario, row]));

export const FORM = "application/x-www-form-urlencoded";
const NOTE = "/demo/note";
const LOGOUT = "/auth/logout";
const LOGIN = "/auth/login";

const NOBODY = { status: 401, code: "not_authenticated" };
const STRANGER = { status: 403, code: "origin_denied" };
const UNPROVED = { status: 403, code: "csrf_missing" };
const NO_SUCH_METHOD = { status: 405, code: "method_not_allowed" };
const PAGE = { status: 200, code: null };

/** No SameSite cookie travels: whoever asks is nobody. */
const NOBODYS_FORM = { [NOTE]: NOBODY, [LOGOUT]: STRANGER, [LOGIN]: STRANGER };
const STRANGERS_FORM = { [NOTE]: STRANGER, [LOGOUT]: STRANGER, [LOGIN]: STRANGER };
const GETS = { [LOGOUT]: NO_SUCH_METHOD, [LOGIN]: NO_SUCH_METHOD, "/auth/refresh": NO_SUCH_METHOD };

/**
 * A situation, in which a page of `from` does `act` to each target.
 * @typedef {object} Situation
 * @property {string} row In the table.
 * @property {string} ids Of the security cases that it covers.
 * @property {"cross" | "sibling" | "own"} from
 * @property {string} [at] Another page than the plain one.
 * @property {(page: import("playwright-core").Page, url: string, origins: Record<string, string>) => Promise<unknown>} act
 * @property {Record<string, {status: number, code?: string | null}>} targets What each must be answered.
 */

/** @type {Situation[]} */
export const SITUATIONS = [
  { row: "cross-site form POST", ids: "cs_02 cs_18 cs_20", from: "cross", act: form(FORM), targets: NOBODYS_FORM },
  { row: "cross-site form POST text/plain", ids: "cs_02 cs_18 cs_20", from: "cross", act: form("text/plain"), targets: NOBODYS_FORM },
  { row: "cross-site form GET", ids: "cs_20", from: "cross", act: form(FORM, "get"), targets: GETS },
  { row: "cross-site top-level navigation", ids: "cs_20", from: "cross", act: visit, targets: { ...GETS, "/": PAGE } },
  { row: "sibling subdomain form POST", ids: "cs_03 cs_18 cs_20", from: "sibling", act: form(FORM), targets: STRANGERS_FORM },
  { row: "sibling subdomain fetch POST no-cors include", ids: "cs_03 cs_18 cs_20", from: "sibling", act: blind("text"), targets: STRANGERS_FORM },
  {
    row: "cross-site fetch POST no-cors include, third-party cookies blocked (default in this build)",
    ids: "cs_02 cs_18 cs_20",
    from: "cross",
    act: blind("text"),
    targets: NOBODYS_FORM,
  },
  {
    row: "cross-site fetch POST JSON",
    ids: "cs_02 cs_18 cs_20",
    from: "cross",
    act: json,
    // The answer is to the question, and it gives no permission: the request itself is never sent.
    targets: { [NOTE]: { status: 405 }, [LOGOUT]: { status: 204 }, [LOGIN]: { status: 204 } },
  },
  {
    row: "cross-site fetch POST Blob without or with JSON type, no-cors",
    ids: "cs_02 cs_18",
    from: "cross",
    act: blind("blob"),
    targets: { [NOTE]: NOBODY, [LOGIN]: STRANGER },
  },
  { row: "cross-site image", ids: "cs_20", from: "cross", act: image, targets: GETS },
  { row: "cross-site iframe", ids: "cs_20", from: "cross", act: frame(), targets: { ...GETS, "/": PAGE } },
  { row: "credentialless iframe", ids: "cs_20", from: "cross", act: frame("credentialless"), targets: GETS },
  { row: "cross-site prefetch link", ids: "cs_20", from: "cross", act: prefetch, targets: GETS },
  { row: "sandboxed iframe form POST", ids: "cs_02 cs_18 cs_20", from: "cross", act: sandboxed, targets: NOBODYS_FORM },
  {
    row: "cross-site form POST with no-referrer",
    ids: "cs_02 cs_18 cs_20",
    from: "cross",
    at: "/no-referrer",
    act: form(FORM),
    targets: NOBODYS_FORM,
  },
  // The origin passes: what is missing is the CSRF token, which a plain form does not carry.
  {
    row: "OWN page form POST with Referrer-Policy: no-referrer",
    ids: "cs_05",
    from: "own",
    at: "/own/no-referrer",
    act: form(FORM),
    targets: { [NOTE]: UNPROVED },
  },
  { row: "own page form POST", ids: "cs_15", from: "own", at: "/own/plain", act: form(FORM), targets: { [NOTE]: UNPROVED } },
  { row: "own page fetch POST", ids: "cs_01", from: "own", at: "/own/plain", act: proved, targets: { [NOTE]: PAGE } },
  {
    row: "own page posts to a cross-site URL that answers 307 back to us",
    ids: "cs_02 cs_20",
    from: "own",
    at: "/own/plain",
    act: bounced,
    targets: STRANGERS_FORM,
  },
  {
    row: "own page navigates through a cross-site 302 back to us",
    ids: "cs_20",
    from: "own",
    at: "/own/plain",
    act: detoured,
    targets: { ...GETS, "/": PAGE },
  },
];

/** Situations of the table that `live.test.js` tries: they need a cookie with SameSite=None. */
export const ELSEWHERE = ["same, third-party cookies allowed by profile", "cross-site WebSocket, third-party cookies allowed"];

function form(enctype, method = "post") {
  return (page, url) =>
    page.evaluate(
      ({ url, enctype, method }) => {
        const form = document.createElement("form");
        Object.assign(form, { action: url, method, enctype });
        const { searchParams } = new URL(url);
        // A form that is sent by GET replaces the query.
        const fields = { ...Object.fromEntries(searchParams), email: "mallory@example.com", password: "a trap for somebody" };
        for (const [name, value] of Object.entries(fields)) {
          const field = document.createElement("input");
          Object.assign(field, { type: "hidden", name, value });
          form.append(field);
        }
        document.body.append(form);
        form.submit();
      },
      { url, enctype, method },
    );
}

/** A request that needs no permission. A Blob without a type sends no Content-Type. */
function blind(kind) {
  return (page, url) =>
    page.evaluate(
      async ({ url, kind }) => {
        const text = '{"email":"mallory@example.com","password":"a trap for somebody"}';
        const body = kind === "blob" ? new Blob([text]) : text;
        await fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body }).catch(() => {});
      },
      { url, kind },
    );
}

function json(page, url) {
  return page.evaluate(async (url) => {
    const headers = { "Content-Type": "application/json" };
    await fetch(url, { method: "POST", credentials: "include", headers, body: "{}" }).catch(() => {});
  }, url);
}

function visit(page, url) {
  return page.evaluate((url) => void (location.href = url), url);
}

function image(page, url) {
  return page.evaluate((url) => void (new Image().src = url), url);
}

function frame(attribute = "title") {
  return (page, url) =>
    page.evaluate(
      ({ url, attribute }) => {
        const frame = document.createElement("iframe");
        frame.setAttribute(attribute, "");
        frame.src = url;
        document.body.append(frame);
      },
      { url, attribute },
    );
}

function prefetch(page, url) {
  return page.evaluate((url) => {
    const link = document.createElement("link");
    Object.assign(link, { rel: "prefetch", href: url });
    document.head.append(link);
  }, url);
}

function sandboxed(page, url) {
  return page.evaluate((url) => {
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts allow-forms allow-top-navigation");
    frame.srcdoc = `<form method="post" action="${url}" target="_top"></form><script>document.forms[0].submit()</script>`;
    document.body.append(frame);
  }, url);
}

/** Our own script, with the proof that it is ours. */
function proved(page, url) {
  return page.evaluate(async (url) => {
    const [, csrf] = document.cookie.match(/hp_csrf=([^;]+)/);
    await fetch(url, { method: "POST", headers: { "X-CSRF-Token": csrf } });
  }, url);
}

function bounced(page, url, { cross }) {
  return form(FORM)(page, `${cross}/bounce?to=${encodeURIComponent(url)}`);
}

function detoured(page, url, { cross }) {
  return visit(page, `${cross}/detour?to=${encodeURIComponent(url)}`);
}
