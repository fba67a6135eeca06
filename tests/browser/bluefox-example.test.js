// The example for BluefoxAuth's "Cookie auth": three cookies, and the CSRF token that each change needs.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { cookieNames, newProfile, openPage, send, startBrowser } from "./support/browser.js";
import { call, openExample, snippetsOf } from "./support/example.js";
import { startExample } from "./support/program.js";
import { startSite } from "./support/site.js";
import { issuedFor, RESOLVER } from "./support/tls.js";

const NAME = "bluefox_cookies";
/** The manual writes `{ ... }` where the reader puts something: no JavaScript, so something is put there. */
const SNIPPETS = snippetsOf("bluefox", { "{ ... }": '{ text: "Buy milk" }' });
const ADA = { email: "ada@example.com", password: "correct horse battery" };

describe("cookies and a CSRF token, on this machine", () => {
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

  test("signing up signs nobody in, and signing in sets three cookies, over http without Secure", async () => {
    assert.match(await home.expect("POST /auth/register", 201), /"is_superuser":false/);
    assert.deepEqual(await cookieNames(context), []);
    assert.match(await home.expect("POST /auth/login", 200), /"token_type":"bearer"/);
    const cookies = await context.cookies(`${program.origin}/auth/refresh`);
    const seen = cookies.map(({ name, httpOnly, secure, sameSite, path }) => [name, httpOnly, secure, sameSite, path]).sort();
    assert.deepEqual(seen, [
      ["bf_access_token", true, false, "Lax", "/"],
      ["bf_csrf_token", false, false, "Lax", "/"],
      ["bf_refresh_token", true, false, "Strict", "/auth"],
    ]);
  });

  test("reading needs nothing else, a change needs the CSRF token", async () => {
    assert.match(await home.expect("GET /auth/me", 200), /"email":"ada@example.com"/);
    assert.equal(await home.expect("GET /notes", 200), "[]");
    await home.expect("POST /notes", 201);
    assert.match(await home.expect("POST /notes[name=without]", 403), /csrf/i);
    assert.equal(await home.expect("GET /notes", 200), '["Buy milk"]');
  });

  test("the CSRF token is another after each refresh, and the page reads it again", async () => {
    const shown = () => home.page.locator("#csrf").textContent();
    const seen = new Set([await shown()]);
    for (const _ of [1, 2]) {
      await home.expect("POST /auth/refresh", 200);
      seen.add(await shown());
      await home.expect("POST /notes", 201);
    }
    assert.equal(seen.size, 3);
  });

  test("the same server serves a client without cookies, which owes no CSRF token", async () => {
    const { body } = await call(`${program.origin}/auth/login`, "POST", { json: ADA });
    assert.equal((await call(`${program.origin}/notes`, "POST", { token: body.access_token, json: { text: "Feed the fox" } })).status, 201);
    assert.match(await home.expect("GET /notes", 200), /Feed the fox/);
  });

  test("signing out takes all three cookies with it", async () => {
    assert.equal(await home.expect("POST /auth/logout", 200), '{"message":"Logged out"}');
    assert.deepEqual(await cookieNames(context), []);
    assert.equal(await home.page.locator("#csrf").textContent(), "none");
    await home.expect("GET /notes", 401);
  });
});

describe("the JavaScript of BluefoxAuth's manual, as it stands there", () => {
  let program, browser, context, page;
  /** A snippet in the page, after the function that it calls, with what the manual leaves to the reader around it. */
  const run = (name, after = "res.status") =>
    page.evaluate(`(async ({ email, password }) => {\n${SNIPPETS.get("csrf")}\n${SNIPPETS.get(name)}\nreturn ${after};\n})(${JSON.stringify(ADA)})`);
  const csrf = () => page.evaluate(`(() => {\n${SNIPPETS.get("csrf")}\nreturn getCsrfToken();\n})()`);
  const jar = async () => new Map((await context.cookies(`${program.origin}/auth/refresh`)).map(({ name, value }) => [name, value]));

  before(async () => {
    program = await startExample(NAME);
    assert.equal((await call(`${program.origin}/auth/register`, "POST", { json: ADA })).status, 201);
    browser = await startBrowser();
    context = await newProfile(browser);
    ({ page } = await openPage(context));
    await page.goto(program.origin);
    // The endpoint that the manual leaves to the reader is this one of the example.
    await page.route("**/some-protected-endpoint", (route) => route.continue({ url: `${program.origin}/notes` }));
  });
  after(async () => {
    await browser?.close();
    await program?.stop();
  });

  test("login, read, change, refresh, change, logout", async () => {
    assert.equal(await csrf(), undefined);
    assert.equal(await run("login"), 200);
    assert.deepEqual([...(await jar()).keys()].sort(), ["bf_access_token", "bf_csrf_token", "bf_refresh_token"]);
    assert.equal(await run("read", "user.email"), ADA.email);
    assert.equal(await run("change"), 201);

    const before = await jar();
    assert.equal(await run("refresh"), 200);
    const after = await jar();
    for (const name of before.keys()) assert.notEqual(after.get(name), before.get(name), name);
    // "After refreshing, re-read the CSRF cookie": what the page reads is what is in the jar now.
    assert.equal(await csrf(), after.get("bf_csrf_token"));
    assert.equal(await run("change"), 201);

    await run("logout", "undefined");
    assert.deepEqual([...(await jar()).keys()], []);
    assert.equal(await run("change"), 401);
    assert.equal((await send(page, "GET", "/auth/me")).status, 401);
  });
});

describe("cookies for all hosts of a domain", () => {
  let front, others, shared, alone, browser, origins;

  before(async () => {
    const tls = issuedFor(["api.example.test", "app.example.test"]);
    [front, others] = await Promise.all([startSite({ tls }), startSite({ tls, pages: { "/": "<!doctype html><title>page</title>" } })]);
    const origin = (host, { port }) => `https://${host}.example.test:${port}`;
    origins = { api: origin("api", front), app: origin("app", front), evil: origin("evil", others) };
    shared = await startExample(NAME, origins.api, ["example.test", origins.app]);
    alone = await startExample(NAME, origins.api, ["", origins.app]);
    for (const { address } of [shared, alone]) {
      assert.equal((await call(`${address}/auth/register`, "POST", { json: ADA })).status, 201);
    }
    browser = await startBrowser([RESOLVER]);
  });
  after(async () => {
    await browser?.close();
    await Promise.all([front?.stop(), others?.stop()]);
    await shared?.stop();
    await alone?.stop();
  });

  test("a page of another host reads the CSRF token of the domain, and sends it to the API", async () => {
    front.programPort = shared.port;
    const context = await newProfile(browser);
    const home = await openExample(context, origins.app);
    await home.expect("POST /auth/login", 200);
    const cookies = await context.cookies();
    assert.deepEqual([...new Set(cookies.map(({ domain, secure }) => `${domain} ${secure}`))], [".example.test true"]);
    const [, csrf] = (await home.page.evaluate(() => document.cookie)).match(/^bf_csrf_token=([\w-]{86})$/);
    assert.match(await home.expect("GET /auth/me", 200), /ada@example.com/);
    await home.expect("POST /notes", 201);
    await home.expect("POST /notes[name=without]", 403);
    assert.equal(await home.expect("GET /notes", 200), '["Buy milk"]');
    front.forget();
    await home.expect("POST /auth/refresh", 200);
    const refreshed = front.exchanges.find(({ method }) => method === "POST");
    assert.deepEqual([refreshed.headers.host, refreshed.headers.origin], [new URL(origins.api).host, origins.app]);
    assert.equal(refreshed.headers["x-csrf-token"], csrf);
    // The cookies are those of the page's own host too.
    assert.equal((await send(home.page, "GET", "/notes")).status, 200);

    // So they are those of every other host of the domain, which can read the CSRF token. Where it asks from gives it away.
    const { page: evil } = await openPage(context);
    await evil.goto(origins.evil);
    const [, theirs] = (await evil.evaluate(() => document.cookie)).match(/^bf_csrf_token=([\w-]{86})$/);
    front.forget();
    const headers = { "X-CSRF-Token": theirs, "Content-Type": "text/plain" };
    assert.equal((await send(evil, "POST", `${origins.api}/auth/logout`, { headers, credentials: "include" })).lost, true);
    const blind = (url) => fetch(url, { method: "POST", mode: "no-cors", credentials: "include" }).catch(() => {});
    await evil.evaluate(blind, `${origins.api}/auth/logout`);
    const { cookies: sent, status } = await front.seen(({ method }) => method === "POST");
    assert.deepEqual([sent.includes("bf_refresh_token"), status], [true, 403]);

    // Nobody was signed out by it.
    await home.expect("GET /auth/me", 200);
    await home.expect("POST /auth/logout", 200);
    assert.deepEqual(await context.cookies(), []);
    await context.close();
  });

  test("without the domain the cookies are of one host, and a page of another can change nothing", async () => {
    front.programPort = alone.port;
    const context = await newProfile(browser);
    const home = await openExample(context, origins.app);
    await home.expect("POST /auth/login", 200);
    assert.deepEqual([...new Set((await context.cookies()).map(({ domain }) => domain))], ["api.example.test"]);
    assert.equal(await home.page.evaluate(() => document.cookie), "");
    // One site: the cookies go along, and the page may read the answer.
    await home.expect("GET /auth/me", 200);
    await home.expect("GET /notes", 200);
    for (const change of ["POST /notes", "POST /auth/refresh"]) await home.expect(change, 403);
    assert.equal((await send(home.page, "GET", "/notes")).status, 401);
    await context.close();
  });
});
