// The example for AuthFort's "Cookies & Bearer": one server for a web front end and a mobile app at once, and for two hosts.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { cookieNames, newProfile, openPage, send, startBrowser } from "./support/browser.js";
import { call, openExample } from "./support/example.js";
import { startExample } from "./support/program.js";
import { startSite } from "./support/site.js";
import { issuedFor, RESOLVER } from "./support/tls.js";

const NAME = "authfort_web_and_mobile";
const BOB = { email: "bob@example.com", password: "a mobile phone in a bag" };

describe("a web front end and a mobile app at one server, on this machine", () => {
  let program, browser, context, web;

  before(async () => {
    program = await startExample(NAME);
    browser = await startBrowser();
    context = await newProfile(browser);
    web = await openExample(context, program.origin);
  });
  after(async () => {
    await browser?.close();
    await program?.stop();
  });

  test("the web front end has cookies that no script can read, over http without Secure", async () => {
    assert.match(await web.expect("POST /auth/signup", 201, "#web"), /"tokens"/);
    const cookies = await context.cookies(`${program.origin}/auth/refresh`);
    const seen = cookies.map(({ name, httpOnly, secure, sameSite, path }) => [name, httpOnly, secure, sameSite, path]).sort();
    assert.deepEqual(seen, [
      ["access_token", true, false, "Lax", "/"],
      ["refresh_token", true, false, "Strict", "/auth"],
    ]);
    assert.equal(await web.page.evaluate(() => document.cookie), "");
    assert.match(await web.expect("GET /auth/me", 200, "#web"), /"email":"ada@example.com"/);
    await web.expect("POST /notes", 201, "#web");
    assert.equal(await web.expect("GET /notes", 200, "#web"), '["Buy milk"]');
    assert.match(await web.expect("POST /auth/refresh", 200, "#web"), /"refresh_token":""/);
  });

  test("a mobile app has the tokens of the body, and no cookie", async () => {
    const signedUp = await call(`${program.origin}/auth/signup`, "POST", { json: BOB });
    assert.equal(signedUp.status, 201);
    // Both, as its manual says: who has no use for the cookies leaves them.
    assert.deepEqual(signedUp.cookies.map((line) => line.split("=")[0]).sort(), ["access_token", "refresh_token"]);
    const { tokens, user } = signedUp.body;
    const notes = (method, token, json) => call(`${program.origin}/notes`, method, { token, json });
    assert.equal((await notes("POST", tokens.access_token, { text: "Call Ada" })).status, 201);
    assert.deepEqual((await notes("GET", tokens.access_token)).body, ["Call Ada"]);
    assert.equal((await notes("GET")).status, 401);

    const refreshed = await call(`${program.origin}/auth/refresh`, "POST", { json: { refresh_token: tokens.refresh_token } });
    assert.equal(refreshed.status, 200);
    const next = refreshed.body.tokens;
    assert.notEqual(next.refresh_token, tokens.refresh_token);
    const me = await call(`${program.origin}/auth/me`, "GET", { token: next.access_token });
    assert.deepEqual([me.body.id, me.body.session_id], [user.id, user.session_id]);

    const out = await call(`${program.origin}/auth/logout`, "POST", { json: { refresh_token: next.refresh_token } });
    assert.equal(out.status, 204);
    for (const { access_token: token } of [tokens, next]) assert.equal((await notes("GET", token)).status, 401);
    assert.equal(await web.expect("GET /notes", 200, "#web"), '["Buy milk"]', "the other user is still here");
  });

  test("both cards of the page are the same user, in two sessions", async () => {
    await web.expect("GET /notes", 401, "#mobile");
    await web.expect("POST /auth/login", 200, "#mobile");
    assert.equal(await web.expect("GET /notes", 200, "#mobile"), '["Buy milk"]');
    await web.expect("POST /notes", 201, "#mobile");
    assert.equal(await web.expect("GET /notes", 200, "#web"), '["Buy milk","Buy milk"]');
    await web.expect("POST /auth/refresh", 200, "#mobile");
    await web.expect("POST /auth/logout", 204, "#mobile");
    await web.expect("GET /notes", 401, "#mobile");
    await web.expect("GET /notes", 200, "#web");
  });

  test("a request with a bearer token and a cookie counts by its token", async () => {
    const { body } = await call(`${program.origin}/auth/login`, "POST", { json: BOB });
    const headers = { Authorization: `Bearer ${body.tokens.access_token}` };
    assert.deepEqual((await send(web.page, "GET", "/notes", { headers })).body, ["Call Ada"]);
    // A broken one is not overlooked because a good cookie stands beside it.
    const broken = await send(web.page, "GET", "/notes", { headers: { Authorization: "Bearer broken" } });
    assert.equal(broken.status, 401);
  });

  test("signing out takes the cookies with it", async () => {
    await web.expect("POST /auth/logout", 204, "#web");
    assert.deepEqual(await cookieNames(context), []);
    await web.expect("GET /notes", 401, "#web");
  });
});

describe("a web front end on another host of the domain", () => {
  let front, others, browser, programs, origins;

  before(async () => {
    const tls = issuedFor(["api.example.test", "app.example.test"]);
    [front, others] = await Promise.all([startSite({ tls }), startSite({ tls, pages: { "/": "<!doctype html><title>page</title>" } })]);
    const origin = (host, { port }) => `https://${host}.example.test:${port}`;
    origins = { api: origin("api", front), app: origin("app", front), evil: origin("evil", others) };
    programs = {
      shared: await startExample(NAME, origins.api, ["example.test", origins.app]),
      alone: await startExample(NAME, origins.api, ["", origins.app]),
    };
    browser = await startBrowser([RESOLVER]);
  });
  after(async () => {
    await browser?.close();
    await Promise.all([front?.stop(), others?.stop()]);
    for (const program of Object.values(programs ?? {})) await program.stop();
  });

  test("one sign-in is good for every host of the domain", async () => {
    front.programPort = programs.shared.port;
    const context = await newProfile(browser);
    const home = await openExample(context, origins.app);
    front.forget();
    await home.expect("POST /auth/signup", 201, "#web");
    const { headers, setCookies } = front.exchanges.find(({ method }) => method === "POST");
    assert.deepEqual([headers.host, headers.origin], [new URL(origins.api).host, origins.app]);
    for (const line of setCookies) assert.match(line, /; Domain=example\.test; Secure; HttpOnly;/);
    for (const url of Object.values(origins)) assert.ok((await cookieNames(context, url)).includes("access_token"), url);
    await home.expect("GET /auth/me", 200, "#web");
    await home.expect("POST /auth/refresh", 200, "#web");
    await home.expect("POST /notes", 201, "#web");
    assert.equal(await home.expect("GET /notes", 200, "#web"), '["Buy milk"]');
    // By the same cookie at the page's own host.
    assert.equal((await send(home.page, "POST", "/notes", { json: { text: "Call Bob" } })).status, 201);
    assert.deepEqual((await send(home.page, "GET", "/notes")).body, ["Buy milk", "Call Bob"]);

    // Another host of the domain has the cookies too, and is not on the list.
    const { page: evil } = await openPage(context);
    await evil.goto(origins.evil);
    front.forget();
    const blind = (url) => fetch(url, { method: "POST", mode: "no-cors", credentials: "include" }).catch(() => {});
    for (const path of ["/notes", "/auth/logout", "/auth/refresh"]) await evil.evaluate(blind, origins.api + path);
    const refusals = front.exchanges.map(({ path, cookies, status }) => [path, cookies.includes("access_token"), status]);
    assert.deepEqual(refusals, [["/notes", true, 403], ["/auth/logout", true, 403], ["/auth/refresh", true, 403]]);

    // A mobile app at the same server, while all of this goes on.
    await home.expect("POST /auth/login", 200, "#mobile");
    await home.expect("GET /auth/me", 200, "#mobile");
    await home.expect("POST /auth/logout", 204, "#web");
    assert.deepEqual(await context.cookies(), []);
    await home.expect("GET /auth/me", 401, "#web");
    await home.expect("GET /auth/me", 200, "#mobile");
    await context.close();
  });

  test("without the domain the cookies are of the server's host alone", async () => {
    front.programPort = programs.alone.port;
    const context = await newProfile(browser);
    const home = await openExample(context, origins.app);
    await home.expect("POST /auth/signup", 201, "#web");
    assert.deepEqual(await cookieNames(context, origins.app), []);
    assert.deepEqual(await cookieNames(context, origins.api), ["access_token"]);
    // One site: the page's requests to the server have them.
    await home.expect("GET /auth/me", 200, "#web");
    await home.expect("POST /notes", 201, "#web");
    assert.equal((await send(home.page, "GET", "/notes")).status, 401);
    await context.close();
  });
});
