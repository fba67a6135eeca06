// The two complete examples of AuthX: every function and every command that its documents print, against ours.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { cookieNames, newProfile, openPage, startBrowser } from "./support/browser.js";
import { openExample } from "./support/example.js";
import { startExample } from "./support/program.js";

const execute = promisify(execFile);
/** Where the documents say that their servers are. */
const ORIGIN = "http://localhost:8000";
const ALL = ["access_token_cookie", "csrf_access_token", "csrf_refresh_token", "refresh_token_cookie"];
const REFRESH = ["csrf_refresh_token", "refresh_token_cookie"];

const document = (name) => readFile(new URL(`./data/documents/${name}.js`, import.meta.url), "utf8");

/** An example that the browser reaches where its document says, and commands on a port of its own. */
class Site {
  static async start(name) {
    const site = new Site();
    site.program = await startExample(name, ORIGIN);
    site.browser = await startBrowser([`--host-resolver-rules=MAP localhost:8000 127.0.0.1:${site.program.port}`]);
    site.folder = await mkdtemp(join(tmpdir(), "hallpass-browser-"));
    return site;
  }

  /** Opens a page of this origin in a fresh profile, with functions of a document on it. */
  async open(path, ...scripts) {
    const context = await newProfile(this.browser);
    const { page } = await openPage(context);
    await page.goto(ORIGIN + path);
    for (const content of scripts) await page.addScriptTag({ content });
    return { context, page };
  }

  /** Runs a command as the document prints it, in a folder that is kept. Returns what it says. */
  async run(command, words = {}) {
    let line = command.replaceAll(ORIGIN, `http://localhost:${this.program.port}`);
    for (const [placeholder, value] of Object.entries(words)) line = line.replaceAll(placeholder, value);
    const { stdout } = await execute("sh", ["-c", line.replaceAll("curl ", "curl -sS ")], { cwd: this.folder });
    return stdout;
  }

  async stop() {
    await this.browser?.close();
    await this.program?.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Calls a function of the document on the page. */
const call = (page, name, ...words) => page.evaluate(([name, words]) => globalThis[name](...words), [name, words]);

describe("AuthX's cookie example", () => {
  let site;
  before(async () => (site = await Site.start("authx_cookies")));
  after(() => site?.stop());

  test("every function of the document does what it says", async () => {
    const { context, page } = await site.open("/", await document("authx-cookies-client"));
    assert.deepEqual(await call(page, "login", "user1", "password1"), { message: "Login successful", username: "user1" });
    assert.deepEqual(await cookieNames(context), ALL);
    assert.deepEqual(await call(page, "getProtected"), { message: "Access granted", username: "user1", email: "user1@example.com" });
    assert.deepEqual(await call(page, "createPost", "New Post", "text"), { message: "Post created", user: "user1" });
    assert.equal((await call(page, "getCookie", "csrf_access_token")).length, 86);
    const stolen = await context.cookies(ORIGIN);
    assert.deepEqual(await call(page, "logout"), { message: "Successfully logged out" });
    assert.deepEqual(await cookieNames(context), []);
    assert.deepEqual(await call(page, "getProtected"), { message: "Token Error", error_type: "MissingTokenError" });
    // There the tokens go on after this.
    await context.addCookies(stolen);
    assert.deepEqual(await call(page, "getProtected"), { message: "Session has been revoked", error_type: "SessionRevoked" });
    assert.deepEqual(await call(page, "login", "user1", "wrong"), { detail: "Invalid credentials" });
  });

  test("the document's snippet sends the CSRF token, and without it the post is refused", async () => {
    const { page } = await site.open("/", await document("authx-cookies-client"));
    await call(page, "login", "user2", "password2");
    const posted = page.waitForResponse((answer) => answer.url().endsWith("/posts"));
    await page.addScriptTag({ content: await document("authx-cookies-post") });
    assert.deepEqual(await (await posted).json(), { message: "Post created", user: "user2" });
    const status = await page.evaluate(async () => (await fetch("/posts", { method: "POST" })).status);
    assert.equal(status, 403);
  });

  test("the route that the document exempts owes no CSRF token, and still asks who is calling", async () => {
    const { page } = await site.open("/", await document("authx-cookies-client"));
    const webhook = () => page.evaluate(async () => (await fetch("/webhook", { method: "POST" })).json());
    assert.deepEqual(await webhook(), { message: "Token Error", error_type: "MissingTokenError" });
    await call(page, "login", "user1", "password1");
    assert.deepEqual(await webhook(), { message: "Webhook processed" });
  });

  test("the document's command reads the protected route with the cookie", async () => {
    const { context, page } = await site.open("/", await document("authx-cookies-client"));
    await call(page, "login", "user1", "password1");
    const { value } = (await context.cookies(ORIGIN)).find(({ name }) => name === "access_token_cookie");
    const command = `curl -X GET http://localhost:8000/protected \\\n  --cookie "access_token_cookie=eyJhbGci..."`;
    assert.match(await site.run(command, { "eyJhbGci...": value }), /"message":"Access granted"/);
  });

  test("cs_20 a page of another site drops no cookie", async () => {
    for (const path of ["/logout", "/logout-access"]) {
      const answer = await site.run(`curl -i -X POST ${ORIGIN}${path} -H "Origin: https://evil.example"`);
      assert.match(answer, /origin_denied/);
      assert.doesNotMatch(answer, /set-cookie/i);
    }
  });

  test("the page of the example does all of it with buttons", async () => {
    const context = await newProfile(site.browser);
    const home = await openExample(context, `${ORIGIN}/`);
    assert.match(await home.expect("POST /login", 200), /Login successful/);
    assert.match(await home.expect("GET /protected", 200), /user1@example.com/);
    assert.match(await home.expect("POST /posts", 200), /Post created/);
    assert.match(await home.expect("POST /posts[name=without]", 403), /MissingCSRFTokenError/);
    assert.match(await home.expect("POST /refresh", 200), /Token refreshed/);
    assert.match(await home.expect("POST /logout-access", 200), /Access token cleared/);
    assert.deepEqual(await cookieNames(context), REFRESH);
    assert.match(await home.expect("GET /protected", 401), /MissingTokenError/);
    assert.match(await home.expect("POST /refresh", 200), /Token refreshed/);
    assert.match(await home.expect("POST /logout", 200), /logged out/);
    assert.deepEqual(await cookieNames(context), []);
  });
});

describe("AuthX's dual-location example", () => {
  let site;
  /** The document leaves this one to its reader: "From cookie". */
  const CSRF = "const getCsrfToken = () => document.cookie.match(/csrf_refresh_token=([^;]*)/)?.[1];";
  const GRANTED = { message: "Access granted", username: "user1", email: "user1@example.com", token_location: "headers" };

  before(async () => (site = await Site.start("authx_dual_location")));
  after(() => site?.stop());

  const open = async () => site.open("/", CSRF, await document("authx-dual-location-client"));

  test("every function of the document does what it says", async () => {
    const { context, page } = await open();
    await call(page, "login", "user1", "password1");
    assert.deepEqual(await cookieNames(context), REFRESH);
    assert.deepEqual(await call(page, "fetchProtectedData"), GRANTED);
    await call(page, "refreshToken");
    assert.deepEqual(await call(page, "fetchProtectedData"), GRANTED);
    const stolen = await page.evaluate("accessToken");
    await call(page, "logout");
    assert.deepEqual(await cookieNames(context), []);
    // There both tokens go on after this.
    await page.evaluate((token) => eval(`accessToken = "${token}"`), stolen);
    const status = await page.evaluate(async () => (await fetch("/protected", { headers: { Authorization: `Bearer ${accessToken}` } })).status);
    assert.equal(status, 401);
  });

  test("after a reload the page refreshes by itself, and asks again", async () => {
    const { page } = await open();
    await call(page, "login", "user1", "password1");
    await page.reload();
    for (const content of [CSRF, await document("authx-dual-location-client")]) await page.addScriptTag({ content });
    assert.deepEqual(await call(page, "fetchProtectedData"), GRANTED);
  });

  test("when the refresh is refused, the page's retries come to an end", async () => {
    const { context, page } = await open();
    let asked = 0;
    page.on("request", () => (asked += 1));
    // Never signed in.
    assert.deepEqual(await call(page, "fetchProtectedData"), { detail: "The request is not proper" });
    assert.equal(asked, 1);
    // Signed out elsewhere, while the page still holds its tokens.
    await call(page, "login", "user1", "password1");
    const held = await context.cookies(ORIGIN);
    await call(page, "logout");
    await context.addCookies(held);
    asked = 0;
    assert.deepEqual(await call(page, "fetchProtectedData"), { detail: "The request is not proper" });
    assert.equal(asked, 3);
    assert.deepEqual(await cookieNames(context), []);
  });

  test("every command of the document answers as printed", async () => {
    const login = String.raw`curl -X POST http://localhost:8000/login \
  -H "Content-Type: application/json" \
  -d '{"username":"user1","password":"password1"}' \
  -c cookies.txt -i`;
    const answer = await site.run(login);
    assert.match(answer, /set-cookie: refresh_token_cookie=hpr_/i);
    const token = answer.match(/"access_token":"([^"]*)"/)[1];
    const bearer = String.raw`curl http://localhost:8000/protected \
  -H "Authorization: Bearer <access_token>"`;
    assert.deepEqual(JSON.parse(await site.run(bearer, { "<access_token>": token })), GRANTED);
    const jar = await readFile(join(site.folder, "cookies.txt"), "utf8");
    const valueOf = (name) => jar.match(new RegExp(`\\t${name}\\t(\\S+)`))[1];
    const csrf = valueOf("csrf_refresh_token");
    const refresh = String.raw`curl -X POST http://localhost:8000/refresh \
  -b cookies.txt \
  -H "X-CSRF-TOKEN: <csrf_token_from_cookie>"`;
    const refreshed = JSON.parse(await site.run(refresh, { "<csrf_token_from_cookie>": csrf }));
    assert.equal(refreshed.token_type, "bearer");
    const logout = String.raw`curl -X POST http://localhost:8000/logout \
  -b cookies.txt -c cookies.txt`;
    assert.equal(await site.run(logout), '{"message":"Successfully logged out"}');
    assert.match(await site.run(bearer, { "<access_token>": refreshed.access_token }), /"detail"/);
  });

  test("every command that the example prints about itself does what it says", async () => {
    const { example_requests: commands } = JSON.parse(await site.run("curl http://localhost:8000/"));
    const answer = await site.run(commands.login.replace("curl ", "curl -i "));
    const token = answer.match(/"access_token":"([^"]*)"/)[1];
    const cookie = (name) => answer.match(new RegExp(`${name}=([^;]*)`))[1];
    assert.deepEqual(JSON.parse(await site.run(commands.protected, { "<access_token>": token })), GRANTED);
    const words = { "<token>": cookie("refresh_token_cookie"), "<csrf_token>": cookie("csrf_refresh_token") };
    assert.match(await site.run(commands.refresh, words), /^{"access_token":"[^"]+","token_type":"bearer"}$/);
    assert.match(await site.run(commands.logout), /Successfully logged out/);
  });

  test("the page of the example does all of it with buttons", async () => {
    const context = await newProfile(site.browser);
    const home = await openExample(context, `${ORIGIN}/page`);
    assert.match(await home.expect("GET /protected", 401), /Not signed in/);
    assert.match(await home.expect("POST /login", 200), /"token_type":"bearer"/);
    assert.match(await home.expect("GET /protected", 200), /"token_location":"headers"/);
    assert.match(await home.expect("POST /protected-action", 200), /Action performed/);
    await home.page.reload();
    await home.expect("GET /protected", 401);
    await home.expect("POST /refresh", 200);
    await home.expect("GET /protected", 200);
    assert.match(await home.expect("POST /logout", 200), /logged out/);
    await home.expect("GET /protected", 401);
  });
});
