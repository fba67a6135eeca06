// What AuthFort's client for browsers (`authfort-client` 0.0.31) asks, request by request, in both of its token modes. Its
// habits were read in its public source; the package itself is not at hand for a test.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { cookieNames, newProfile, openPage, send, startBrowser } from "./support/browser.js";
import { startProgram } from "./support/program.js";
import { startSite } from "./support/site.js";

const ADA = { email: "ada@example.com", password: "correct horse battery" };
/** It says so where a session is opened, also in bearer mode. */
const INCLUDE = { credentials: "include" };

describe("the habits of AuthFort's client", () => {
  let front, program, browser, context, page;
  const login = () => send(page, "POST", "/auth/login", { json: ADA, ...INCLUDE });
  const me = (tab = page, headers = {}) => send(tab, "GET", "/auth/me", { headers, ...INCLUDE });
  const refresh = (tab, json, credentials) => send(tab, "POST", "/auth/refresh", { json, credentials });
  const bearer = ({ access_token: token }) => ({ Authorization: `Bearer ${token}` });
  const asked = () => front.exchanges.map(({ path, status }) => `${path} ${status}`);

  before(async () => {
    front = await startSite({ pages: { "/": "<!doctype html><title>page</title>" } });
    const origin = `http://localhost:${front.port}`;
    program = await startProgram("serve", { HALLPASS_PROFILE: "authfort", HALLPASS_PUBLIC_URL: origin });
    front.programPort = program.port;
    browser = await startBrowser();
    ({ page } = await openPage(await newProfile(browser)));
    await page.goto(origin);
    assert.equal((await send(page, "POST", "/auth/signup", { json: { ...ADA, name: "Ada" }, ...INCLUDE })).status, 201);
  });
  beforeEach(async () => {
    context = await newProfile(browser);
    ({ page } = await openPage(context));
    await page.goto(`http://localhost:${front.port}`);
    front.forget();
  });
  after(async () => {
    await browser?.close();
    await front?.stop();
    await program?.stop();
  });

  test("in cookie mode a page asks who it is, refreshes with an empty object, and asks again", async () => {
    // A first visit: nobody, in a shape that it reads.
    assert.equal((await me()).body.detail.error, "token_missing");
    assert.equal((await refresh(page, {}, "include")).body.detail.error, "refresh_token_missing");
    const { user, tokens } = (await login()).body;
    assert.deepEqual([user.name, user.roles, user.mfa_enabled, tokens.expires_in], ["Ada", [], false, 900]);
    // The access cookie is over: three requests are refused, one refresh is good for all of them.
    await context.clearCookies({ name: "access_token" });
    front.forget();
    const together = () => Promise.all([me(), me(), me()]);
    for (const { body } of await together()) assert.equal(body.detail.error, "token_missing");
    assert.equal((await refresh(page, {}, "include")).body.user.id, user.id);
    for (const { body } of await together()) assert.equal(body.id, user.id);
    assert.deepEqual(asked(), [...Array(3).fill("/auth/me 401"), "/auth/refresh 200", ...Array(3).fill("/auth/me 200")]);

    assert.equal((await send(page, "POST", "/auth/logout", { json: {}, ...INCLUDE })).status, 204);
    assert.deepEqual(await cookieNames(context), []);
  });

  test("in bearer mode it has the refresh token in its storage, and cookies beside it that it never uses", async () => {
    const { tokens, user } = (await login()).body;
    assert.deepEqual(await cookieNames(context, `http://localhost:${front.port}/auth`), ["access_token", "refresh_token"]);
    front.forget();
    assert.equal((await me(page, bearer(tokens))).body.id, user.id);
    const refreshed = await refresh(page, { refresh_token: tokens.refresh_token });
    const { cookies } = front.exchanges.find(({ path }) => path === "/auth/refresh");
    assert.ok(cookies.includes("refresh_token"), "the browser adds it, and the body counts");
    const next = refreshed.body.tokens;
    assert.match(next.refresh_token, /^hpr_/);
    assert.equal((await me(page, bearer(next))).status, 200);

    const out = await send(page, "POST", "/auth/logout", { json: { refresh_token: next.refresh_token } });
    assert.equal(out.status, 204);
    assert.deepEqual(await cookieNames(context), []);
    assert.equal((await me(page, bearer(next))).status, 401);
    // On any refusal it forgets what it stored, and says so to the page.
    const refused = await refresh(page, { refresh_token: next.refresh_token });
    assert.deepEqual([refused.status, refused.body.detail.error], [401, "refresh_token_revoked"]);
  });

  test("two tabs with one storage refresh at the same time, and neither forgets it", async () => {
    const { tokens } = (await login()).body;
    const { page: other } = await openPage(context);
    await other.goto(page.url());
    const stored = { refresh_token: tokens.refresh_token };
    const answers = await Promise.all([page, other].map((tab) => refresh(tab, stored)));
    assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
    const [one, two] = answers.map(({ body }) => body.tokens);
    // Whichever is stored last, the other tab goes on with it.
    assert.equal(one.refresh_token, two.refresh_token);
    for (const token of [one, two]) assert.equal((await me(page, bearer(token))).status, 200);
    assert.equal((await refresh(other, { refresh_token: two.refresh_token })).status, 200);
  });

  test("it reads the code and the sentence of each refusal", async () => {
    const refusals = [
      ["/auth/login", { ...ADA, password: "wrong" }, 401, "invalid_credentials"],
      ["/auth/signup", ADA, 409, "user_exists"],
      ["/auth/signup", { email: "eve@example.com", password: "short" }, 400, "password_too_short"],
      ["/auth/signup", { ...ADA, email: "eve" }, 400, "invalid_email"],
    ];
    for (const [path, json, status, code] of refusals) {
      const answer = await send(page, "POST", path, { json, ...INCLUDE });
      assert.deepEqual([answer.status, answer.body.detail.error], [status, code], path);
      assert.ok(answer.body.detail.message.length > 0, code);
    }
    // What is not there it takes for a refusal like any other.
    assert.equal((await send(page, "POST", "/auth/magic-link", { json: { email: ADA.email }, ...INCLUDE })).status, 404);
  });
});
