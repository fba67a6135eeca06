// What browsers really send when another site makes them, and what Hallpass answers: the measured table, line by line.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ELSEWHERE, MEASURED, SITUATIONS } from "./support/attacks.js";
import { newProfile, openPage, send, startBrowser } from "./support/browser.js";
import { SAMPLE } from "./support/demo.js";
import { startProgram } from "./support/program.js";
import { startSite } from "./support/site.js";

const EMPTY = "<!doctype html><title>page</title>";
const NO_REFERRER = { headers: { "Referrer-Policy": "no-referrer" }, body: EMPTY };
const redirect = (status) => (url) => ({ status, headers: { Location: url.searchParams.get("to") } });
const STRANGERS = { "/": EMPTY, "/no-referrer": NO_REFERRER, "/bounce": redirect(307), "/detour": redirect(302) };
const OURS = { "/own/plain": EMPTY, "/own/no-referrer": NO_REFERRER };

describe("the table of what browsers send", () => {
  let program, browser, context, front, strangers, home, origins;
  let count = 0;

  before(async () => {
    [front, strangers] = await Promise.all([startSite({ pages: OURS }), startSite({ pages: STRANGERS })]);
    // A browser takes every name under `localhost` for this machine, and each for a host of its own.
    origins = {
      own: `http://app.site.localhost:${front.port}`,
      sibling: `http://evil.site.localhost:${strangers.port}`,
      cross: `http://evil.other.localhost:${strangers.port}`,
    };
    program = await startProgram("demo", { HALLPASS_PUBLIC_URL: origins.own });
    front.programPort = program.port;
    browser = await startBrowser();
    context = await newProfile(browser);
    ({ page: home } = await openPage(context));
    await home.goto(`${origins.own}/own/plain`);
    const login = await send(home, "POST", "/auth/login", { json: SAMPLE });
    assert.equal(login.status, 200);
  });
  after(async () => {
    await browser?.close();
    await Promise.all([front?.stop(), strangers?.stop()]);
    await program?.stop();
  });

  /** Everything that an attack could change: the jar of the browser, and what the server knows. */
  async function state() {
    const answer = await send(home, "GET", "/auth/sessions");
    assert.equal(answer.status, 200);
    return { jar: await context.cookies(), sessions: answer.body.sessions };
  }

  /** Lets a page act and returns what came of it, once the browser is done with the answer. */
  async function acted({ from, at = "/", act }, target, method) {
    const mark = `attack=n${(count += 1)}`;
    const { page } = await openPage(context);
    await page.goto(origins[from] + at);
    const settled = settles(context, mark);
    await act(page, `${origins.own}${target}?${mark}`, origins);
    const exchange = await front.seen((seen) => seen.method === method && seen.path.includes(mark));
    await settled;
    return { page, exchange };
  }

  for (const situation of SITUATIONS) {
    const { row, ids, targets } = situation;
    test(`${ids.replaceAll(" ", "_")}_${named(row)}`, async () => {
      const measured = MEASURED.get(row);
      for (const [target, must] of Object.entries(targets)) {
        const before = await state();
        const { page, exchange } = await acted(situation, target, measured.method);
        const where = `${measured.method} ${target}`;
        assertSent(exchange, measured, where);
        assert.equal(exchange.status, must.status, `${where}: ${exchange.code}`);
        if (must.code !== undefined) assert.equal(exchange.code, must.code, where);
        assert.equal(exchange.answered["access-control-allow-origin"], undefined, where);
        if (row.endsWith("iframe") && target === "/") await assertNotShown(page, where);
        await page.close();
        assert.deepEqual(await state(), before, `${where} changed something`);
      }
    });
  }

  test("a page of ours without a referrer goes on refreshing", async () => {
    const { page } = await openPage(context);
    await page.goto(`${origins.own}/own/no-referrer`);
    front.forget();
    const csrf = (await send(page, "GET", "/auth/csrf")).body.csrf_token;
    const answer = await send(page, "POST", "/auth/refresh", { headers: { "X-CSRF-Token": csrf } });
    const sent = await front.seen((exchange) => exchange.path === "/auth/refresh");
    assert.deepEqual([sent.headers.referer, sent.headers["sec-fetch-site"]], [undefined, "same-origin"]);
    assert.equal(answer.status, 200);
    await page.close();
  });

  test("cs_20_a_blind_request_without_a_content_type_signs_nobody_out", async () => {
    for (const from of ["sibling", "cross"]) {
      const before = await state();
      const act = (page, url) =>
        page.evaluate((url) => fetch(url, { method: "POST", mode: "no-cors", credentials: "include" }).catch(() => {}), url);
      const { page, exchange } = await acted({ from, act }, "/auth/logout", "POST");
      await page.close();
      assert.equal(exchange.headers["content-type"], undefined);
      assert.deepEqual([exchange.status, exchange.code], [403, "origin_denied"]);
      assert.deepEqual(await state(), before, `from ${from}`);
    }
  });

  test("every line of the table is tried here, or cannot be", () => {
    const tried = [...SITUATIONS.map((situation) => situation.row), ...ELSEWHERE];
    assert.deepEqual(tried.sort(), [...MEASURED.keys()].sort());
  });

  /** The browser of today still sends what was measured: our SameSite=Lax and Strict cookies stand for `lax` and `strict`. */
  function assertSent({ path, headers, cookies }, measured, where) {
    const names = { "https://evil.test": origins.cross, "https://evil.example.test": origins.sibling, "https://app.example.test": origins.own };
    assert.equal(headers.origin ?? null, names[measured.origin] ?? measured.origin, `${where}: Origin`);
    for (const part of ["site", "mode", "dest"]) {
      assert.equal(headers[`sec-fetch-${part}`] ?? null, measured[`sec_fetch_${part}`], `${where}: Sec-Fetch-${part}`);
    }
    assert.equal(headers["content-type"] ?? null, measured.content_type, `${where}: Content-Type`);
    const sends = (kind) => measured.cookies_sent_chromium.includes(kind);
    assert.equal(cookies.includes("hp_access"), sends("lax"), `${where}: the access cookie`);
    assert.equal(cookies.includes("hp_csrf"), sends("lax"), `${where}: the CSRF cookie`);
    if (path.startsWith("/auth/")) assert.equal(cookies.includes("hp_refresh"), sends("strict"), `${where}: the refresh cookie`);
  }
});

function named(row) {
  return row.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/_$/, "");
}

/** Resolves once the browser is done with a request, whatever came of it. */
function settles(context, mark) {
  return new Promise((resolve) => {
    const done = (request) => {
      if (!request.url().includes(mark) || new URL(request.url()).searchParams.has("to")) return;
      context.off("requestfinished", done);
      context.off("requestfailed", done);
      resolve();
    };
    context.on("requestfinished", done);
    context.on("requestfailed", done);
  });
}

/** A page that may not be framed is replaced by the browser's own. */
async function assertNotShown(page, where) {
  const [, frame] = page.frames();
  await frame.waitForFunction(() => location.protocol === "chrome-error:" || document.title).catch(() => {});
  assert.equal(frame.url(), "chrome-error://chromewebdata/", where);
}
