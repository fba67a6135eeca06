// The example for FastAuth's "Cookie Delivery": tokens in cookies alone, and what their SameSite does.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cookieNames, newProfile, openPage, send, startBrowser, startProfile } from "./support/browser.js";
import { call, openExample } from "./support/example.js";
import { startExample } from "./support/program.js";
import { startSite } from "./support/site.js";
import { issuedFor, RESOLVER } from "./support/tls.js";

const NAME = "fastauth_cookies";
const ADA = { email: "ada@example.com", password: "correct horse battery" };

describe("tokens in cookies, on this machine", () => {
  let program, browser, context, home;

  before(async () => {
    program = await startExample(NAME);
    browser = await startBrowser();
    context = await newProfile(browser);
    home = await openExample(context, program.origin);
  });
  after(async () => {
    await browser?.close();
    await program?.stop();
  });

  test("what is answered holds no token, and the cookies go over http without Secure", async () => {
    assert.equal(await home.expect("POST /auth/register", 201), '{"message":"Authentication successful"}');
    const cookies = await context.cookies(`${program.origin}/auth/refresh`);
    const seen = cookies.map(({ name, httpOnly, secure, sameSite, path }) => [name, httpOnly, secure, sameSite, path]).sort();
    assert.deepEqual(seen, [
      ["access_token", true, false, "Lax", "/"],
      ["csrf_token", false, false, "Lax", "/"],
      ["refresh_token", true, false, "Strict", "/auth"],
    ]);
    assert.match(await home.page.evaluate(() => document.cookie), /^csrf_token=[\w-]{86}$/);
    assert.match(await home.expect("GET /auth/me", 200), /"email":"ada@example.com".*"is_active":true/);
  });

  test("a change needs the CSRF token beside the cookie", async () => {
    assert.equal(await home.expect("POST /notes", 201), "");
    assert.match(await home.expect("POST /notes[name=without]", 403), /csrf/i);
    assert.equal(await home.expect("GET /notes", 200), '["Buy milk"]');
  });

  test("a refresh brings new cookies, and the page goes on with the CSRF token that it finds", async () => {
    const values = async () => (await context.cookies(`${program.origin}/auth/refresh`)).map(({ name, value }) => `${name}=${value}`);
    const before = await values();
    assert.equal(await home.expect("POST /auth/refresh", 200), '{"message":"Authentication successful"}');
    const after = await values();
    assert.equal(after.length, 3);
    assert.deepEqual(after.filter((value) => before.includes(value)), []);
    await home.expect("POST /notes", 201);
  });

  test("a client without cookies gets no token, and a bearer token counts where there is one", async () => {
    const { body, cookies } = await call(`${program.origin}/auth/login`, "POST", { json: ADA });
    assert.deepEqual(body, { message: "Authentication successful" });
    const [, token] = cookies.join("\n").match(/^access_token=([^;]*)/m);
    assert.equal((await call(`${program.origin}/notes`, "POST", { token, json: { text: "Feed the cat" } })).status, 201);
    // The header comes first, as in FastAuth since 0.5.6.
    const broken = await send(home.page, "GET", "/notes", { headers: { Authorization: "Bearer broken" } });
    assert.equal(broken.status, 401);
  });

  test("signing out takes all three cookies with it", async () => {
    assert.equal(await home.expect("POST /auth/logout", 200), '{"message":"Logged out"}');
    assert.deepEqual(await cookieNames(context), []);
    await home.expect("GET /notes", 401);
    await home.expect("POST /auth/login", 200);
    assert.match(await home.expect("GET /notes", 200), /Feed the cat/);
  });
});

// What browsers do with each choice of SameSite. The front end is on `app.example.test`, the server on another site.
// Browsers block third-party cookies unless they are told otherwise; `allowed` is one that was told.
const CROSS_ORIGIN = [
  { word: "none", kind: "blocked", isSignedIn: false },
  { word: "none", kind: "allowed", isSignedIn: true },
  // A jar of its own for each site whose pages come: that is no third party to the browser.
  { word: "partitioned", kind: "blocked", isSignedIn: true },
  { word: "partitioned", kind: "allowed", isSignedIn: true },
  // To a page of another site these two are not sent, whatever the browser allows.
  { word: "lax", kind: "allowed", isSignedIn: false },
  { word: "strict", kind: "allowed", isSignedIn: false },
];
const LINKS = [
  { word: "lax", status: 200, cookies: ["access_token", "csrf_token"] },
  // Whoever comes by a link of another site, an OAuth redirect for example, is nobody at first.
  { word: "strict", status: 401, cookies: [] },
];
const WORDS = [...new Set([...CROSS_ORIGIN, ...LINKS].map(({ word }) => word))];

describe("tokens in cookies, and a front end on another site", () => {
  let tls, folder, strangers, browsers;
  const servers = {};

  before(async () => {
    tls = issuedFor(["app.example.test", "api.other.test"]);
    folder = await mkdtemp(join(tmpdir(), "hallpass-browser-"));
    strangers = await startSite({ tls, pages: { "/": (url) => `<!doctype html><title>page</title><a href="${url.searchParams.get("to")}">go</a>` } });
    for (const word of WORDS) {
      const front = await startSite({ tls });
      const [api, app] = ["api.other.test", "app.example.test"].map((host) => `https://${host}:${front.port}`);
      const program = await startExample(NAME, api, [word, app]);
      front.programPort = program.port;
      assert.equal((await call(`${program.address}/auth/register`, "POST", { json: ADA })).status, 201);
      servers[word] = { front, program, api, app };
    }
    const blocked = await startBrowser([RESOLVER]);
    const allowed = await startProfile(join(folder, "profile"), [RESOLVER]);
    browsers = { blocked: { context: () => newProfile(blocked), close: () => blocked.close() }, allowed: { context: async () => allowed, close: () => allowed.close() } };
  });
  after(async () => {
    await Promise.all(Object.values(browsers ?? {}).map((browser) => browser.close()));
    for (const { front, program } of Object.values(servers)) {
      await program.stop();
      await front.stop();
    }
    await strangers?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  for (const { word, kind, isSignedIn } of CROSS_ORIGIN) {
    const outcome = isSignedIn ? "signs in" : "is answered, and stays signed out";
    test(`cookies ${word}, third-party cookies ${kind}: a page of another site ${outcome}`, async () => {
      const { front, api, app } = servers[word];
      const context = await browsers[kind].context();
      const home = await openExample(context, app);
      front.forget();
      await home.expect("POST /auth/login", 200);
      const { headers, answered, setCookies } = front.exchanges.find(({ method }) => method === "POST");
      assert.deepEqual([headers.origin, headers["sec-fetch-site"]], [app, "cross-site"]);
      assert.equal(answered["access-control-allow-origin"], app);
      assert.equal(answered["access-control-allow-credentials"], "true");
      assert.equal(setCookies.length, 3);
      const status = isSignedIn ? 200 : 401;
      await home.expect("GET /auth/me", status);
      await home.expect("GET /notes", status);
      // The CSRF cookie is of the other host: the page asks for the token.
      assert.equal(await home.page.evaluate(() => document.cookie), "");
      await home.expect("POST /notes", isSignedIn ? 201 : 401);
      await home.expect("POST /notes[name=without]", isSignedIn ? 403 : 401);
      await home.expect("POST /auth/refresh", status);
      await home.expect("GET /auth/me", status);
      await home.expect("POST /auth/logout", 200);
      await home.expect("GET /auth/me", 401);
      assert.deepEqual(await cookieNames(context, `${api}/auth/refresh`), []);
      await home.page.close();
    });
  }

  test("a page that is not on the list is refused, also beside one that is", async () => {
    for (const word of ["none", "partitioned"]) {
      const { front, api, app } = servers[word];
      const context = await browsers.allowed.context();
      const home = await openExample(context, app);
      await home.expect("POST /auth/login", 200);
      const { page: stranger } = await openPage(context);
      await stranger.goto(`https://evil.example.test:${strangers.port}`);
      front.forget();
      for (const path of ["/auth/me", "/notes"]) {
        const read = await send(stranger, "GET", api + path, { credentials: "include" });
        assert.equal(read.lost, true, "the page may not read what it is answered");
      }
      // A request that needs no permission. It has the cookies: its page and that of the front end are one site.
      const blind = (url) => fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body: "{}" }).catch(() => {});
      await stranger.evaluate(blind, `${api}/notes`);
      const { cookies, status } = await front.seen(({ method }) => method === "POST");
      assert.deepEqual([cookies.includes("access_token"), status], [true, 403], word);
      await home.expect("POST /auth/logout", 200);
      await Promise.all([home.page.close(), stranger.close()]);
    }
  });

  for (const { word, status, cookies } of LINKS) {
    test(`cookies ${word}: a link of another site is answered ${status}`, async () => {
      const { front, api } = servers[word];
      const context = await browsers.blocked.context();
      const home = await openExample(context, api);
      await home.expect("POST /auth/login", 200);
      await home.expect("GET /notes", 200);
      const { page } = await openPage(context);
      await page.goto(`https://www.example.test:${strangers.port}/?to=${api}/notes`);
      front.forget();
      await Promise.all([page.waitForURL(`${api}/notes`), page.click("a")]);
      const came = await front.seen(({ path }) => path === "/notes");
      assert.deepEqual([came.status, came.cookies], [status, cookies]);
      // Typed into the address bar it is nobody's link.
      await page.goto("about:blank");
      front.forget();
      await page.goto(`${api}/notes`);
      assert.equal((await front.seen(({ path }) => path === "/notes")).status, 200);
      await context.close();
    });
  }

  test("a cookie that needs https is refused at the start without it", async () => {
    await assert.rejects(startExample(NAME, undefined, ["none"]), /SameSite=None needs Secure/);
  });
});
