// The example for BluefoxAuth's "Cookie auth": three cookies, and the CSRF token that each change needs.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { cookieNames, newProfile, startBrowser } from "./support/browser.js";
import { call, openExample } from "./support/example.js";
import { startExample } from "./support/program.js";

const NAME = "bluefox_cookies";
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
    assert.equal((await call(`${program.origin}/notes`, "POST", { token: body.access_token, json: "Feed the fox" })).status, 201);
    assert.match(await home.expect("GET /notes", 200), /Feed the fox/);
  });

  test("signing out takes all three cookies with it", async () => {
    assert.equal(await home.expect("POST /auth/logout", 200), '{"message":"Logged out"}');
    assert.deepEqual(await cookieNames(context), []);
    assert.equal(await home.page.locator("#csrf").textContent(), "none");
    await home.expect("GET /notes", 401);
  });
});
