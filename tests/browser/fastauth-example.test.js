// The example for FastAuth's "Cookie Delivery": tokens in cookies alone, and what their SameSite does.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { cookieNames, newProfile, send, startBrowser } from "./support/browser.js";
import { call, openExample } from "./support/example.js";
import { startExample } from "./support/program.js";

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
    assert.equal((await call(`${program.origin}/notes`, "POST", { token, json: "Feed the cat" })).status, 201);
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
