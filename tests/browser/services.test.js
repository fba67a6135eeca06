// The example with two services: its commands, its page, and what others may not, on three hosts of one domain.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { newProfile, openPage, send, startBrowser } from "./support/browser.js";
import { newExample } from "./support/services.js";
import { startSite } from "./support/site.js";
import { issuedFor, RESOLVER } from "./support/tls.js";

const EMPTY = "<!doctype html><title>page</title>";
const ACCESS = "__Secure-hp_access";
/** How long a condition may take: `stream_bound` of `orders`, and the time for which a key is announced, are shorter. */
const PATIENCE_MS = 60_000;
const LISTS = { orders: "GET /orders", invoices: "GET /invoices" };
const WRITES = { orders: "POST /orders", invoices: "POST /invoices" };

/** Asks again and again until there is an answer, and returns it. */
async function until(what, ask) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await ask();
    if (found) return found;
    assert.ok(Date.now() < deadline, `it did not come true: ${what}`);
  }
}

const bearer = (token) => ({ Authorization: `Bearer ${token}` });
const kidOf = (token) => JSON.parse(Buffer.from(token.split(".")[0], "base64url").toString()).kid;

/** The page of the example, in a profile of its own. */
class Page {
  constructor(page, context) {
    this.page = page;
    this.context = context;
  }

  static async open(browser, url) {
    const context = await newProfile(browser);
    const { page } = await openPage(context);
    await page.goto(url);
    await page.locator("html[data-ready=true]").waitFor();
    return new Page(page, context);
  }

  /** Presses a button of a part of the page, and returns the answer that it shows in the end. */
  async press(part, button) {
    await this.page.bringToFront();
    await this.page.locator(`${part} ${button}`).click();
    await this.page.locator(`${part}:not([aria-busy])`).waitFor();
    return this.page.locator(`${part} .answer`).evaluate(({ dataset, textContent }) => ({ ...dataset, textContent }));
  }

  account(what) {
    return this.press("#account", `button[value=${what}]`);
  }

  call(service, what) {
    return this.press(`#${service}`, `[data-call="${what}"]`);
  }

  async deliver(delivery) {
    await this.page.locator(`input[value=${delivery}]`).check();
  }

  /** Waits until the feed says something that begins so. */
  async feed(start) {
    await this.page.waitForFunction((start) => document.querySelector("#feed").textContent.startsWith(start), start);
  }
}

describe("two services that trust one auth server", () => {
  let browser, example, auth, fronts, others, origins, byCookie, byBearer, www, stranger;
  const services = ["orders", "invoices"];
  const url = (name, what) => origins[name] + what.split(" ")[1];
  /** What went last to a service, of those requests that are no preflight. */
  const last = (name) => fronts[name].exchanges.filter(({ method }) => method !== "OPTIONS").at(-1);
  const tokenOf = ({ headers }) => headers.authorization?.slice("Bearer ".length) ?? headers.cookie.match(`${ACCESS}=([^;]*)`)[1];

  /** Both pages call both services, and all is well. */
  async function bothAreServed() {
    for (const page of [byCookie, byBearer]) {
      for (const name of services) {
        const { status, textContent } = await page.call(name, LISTS[name]);
        assert.equal(status, "200", `${name}: ${textContent}`);
      }
    }
  }

  before(async () => {
    const hosts = ["auth", "orders", "invoices", "www"].map((name) => `${name}.example.test`);
    const tls = issuedFor(hosts);
    const [front, ordersFront, invoicesFront] = await Promise.all([startSite({ tls }), startSite({ tls }), startSite({ tls })]);
    fronts = { auth: front, orders: ordersFront, invoices: invoicesFront };
    others = await startSite({ tls, pages: { "/": EMPTY } });
    origins = { www: `https://www.example.test:${others.port}` };
    for (const [name, { port }] of Object.entries(fronts)) origins[name] = `https://${name}.example.test:${port}`;
    example = await newExample(origins, tls.root);
    auth = await example.auth();
    fronts.auth.programPort = auth.port;
    const [orders, invoices] = await Promise.all([example.orders(), example.invoices()]);
    fronts.orders.programPort = orders.port;
    fronts.invoices.programPort = invoices.port;
    browser = await startBrowser([RESOLVER]);
    byCookie = await Page.open(browser, origins.orders);
    byBearer = await Page.open(browser, origins.orders);
    await byBearer.deliver("split");
    ({ page: www } = await openPage(byCookie.context));
    await www.goto(origins.www);
    ({ page: stranger } = await openPage(byCookie.context));
  });
  after(async () => {
    await browser?.close();
    await example?.stop();
    await Promise.all([...Object.values(fronts ?? {}), others].map((site) => site?.stop()));
  });

  test("a page signs in once, and both services take the cookie of the domain", async () => {
    assert.equal((await byCookie.account("signup")).status, "201");
    // From here on a new key is announced; it signs while all of this goes on.
    await example.hallpass("key", "rotate");
    for (const name of services) {
      assert.match((await byCookie.call(name, WRITES[name])).status, /^20[01]$/);
      assert.equal((await byCookie.call(name, LISTS[name])).status, "200");
      const { cookies, headers, answered } = last(name);
      assert.deepEqual([cookies.includes(ACCESS), headers.authorization], [true, undefined], name);
      assert.equal(cookies.includes("__Secure-hp_refresh"), false, name);
      if (name === "invoices") assert.equal(answered["access-control-allow-origin"], origins.orders);
    }
    assert.equal((await byCookie.call("orders", "POST /pay")).textContent, '200{"paid":1}');
    assert.match((await byCookie.call("invoices", "POST /settle")).textContent, /^200.*"settled":1/);
    await byCookie.feed("The feed is open: 1 orders.");
  });

  test("a page that keeps its token sends it to both, and no cookie", async () => {
    assert.equal((await byBearer.account("login")).status, "200");
    for (const name of services) {
      assert.match((await byBearer.call(name, WRITES[name])).status, /^20[01]$/);
      assert.equal((await byBearer.call(name, LISTS[name])).status, "200");
      const { cookies, headers } = last(name);
      assert.deepEqual([cookies, headers.authorization.slice(0, 9)], [[], "Bearer ey"], name);
    }
    await byBearer.feed("The feed is open: 2 orders.");
    const ticket = fronts.orders.exchanges.find(({ path }) => path.startsWith("/feed?ticket="));
    assert.deepEqual([ticket.status, ticket.cookies.includes(ACCESS)], [200, false]);
  });

  test("a page of another host reads both if it is trusted, and neither if it is not", async () => {
    for (const name of services) {
      const { status } = await send(www, "GET", url(name, LISTS[name]), { credentials: "include" });
      assert.equal(status, 200, name);
      assert.equal(last(name).answered["access-control-allow-origin"], origins.www);
    }
    await stranger.goto(`https://evil.example.test:${others.port}`);
    for (const name of services) {
      const answer = await send(stranger, "GET", url(name, LISTS[name]), { credentials: "include" });
      assert.equal(answer.lost, true, name);
      assert.equal(last(name).answered["access-control-allow-origin"], undefined, name);
    }
  });

  test("a request that rides on the cookie without the token of its session is refused", async () => {
    const wrong = { "X-CSRF-Token": Buffer.alloc(64).toString("base64url") };
    for (const page of [byCookie.page, www]) {
      for (const name of services) {
        for (const headers of [{}, wrong]) {
          const { status, body } = await send(page, "POST", url(name, WRITES[name]), { json: {}, headers, credentials: "include" });
          assert.equal(status, 403, name);
          assert.match(body.code, /^csrf_(missing|invalid)$/, name);
        }
      }
    }
  });

  test("a form of a foreign page is refused", async () => {
    const expected = { "evil.other.test": [false, 401, /not_authenticated/], "evil.example.test": [true, 403, /origin_denied/] };
    for (const [host, [sent, status, code]] of Object.entries(expected)) {
      for (const name of services) {
        await stranger.goto(`https://${host}:${others.port}`);
        fronts[name].forget();
        const post = (action) => {
          const form = Object.assign(document.createElement("form"), { action, method: "POST" });
          document.body.append(form);
          form.submit();
        };
        await Promise.all([stranger.waitForURL(url(name, WRITES[name])), stranger.evaluate(post, url(name, WRITES[name]))]);
        const exchange = await fronts[name].seen(({ method }) => method === "POST");
        assert.deepEqual([exchange.cookies.includes(ACCESS), exchange.status], [sent, status], `${host} ${name}`);
        assert.match(await stranger.locator("body").innerText(), code);
      }
    }
    assert.match((await byCookie.call("orders", LISTS.orders)).textContent, /^200.{20,60}$/, "nothing was ordered");
  });

  test("keys rotate and are revoked, and nobody is signed out", async () => {
    await bothAreServed();
    const old = tokenOf(last("orders"));
    await until("the announced key signs", async () => {
      await bothAreServed();
      const list = await example.hallpass("key", "list");
      return list.split("\n").some((line) => /\bretired\b/.test(line) && line.includes(kidOf(old)));
    });
    assert.equal((await byBearer.account("refresh")).status, "200");
    await bothAreServed();
    const fresh = tokenOf(last("invoices"));
    assert.notEqual(kidOf(fresh), kidOf(old));
    // What the former key has signed is still good, everywhere.
    for (const name of services) {
      assert.equal((await send(www, "GET", url(name, LISTS[name]), { headers: bearer(old) })).status, 200, name);
    }
    await example.hallpass("key", "revoke", kidOf(old));
    for (const name of services) {
      const refused = () => send(www, "GET", url(name, LISTS[name]), { headers: bearer(old) });
      await until(`${name} hears of it`, async () => (await refused()).status === 401);
    }
    // The other page still has a token of that key: it is told so, refreshes, and is served.
    fronts.orders.forget();
    await bothAreServed();
    const statuses = fronts.orders.exchanges.filter(({ path }) => path === "/orders").map(({ status }) => status);
    assert.deepEqual(statuses, [401, 200, 200]);
  });

  test("without the auth server both go on, and only what must ask says so", async () => {
    for (const page of [byCookie, byBearer]) assert.equal((await page.account("refresh")).status, "200");
    await bothAreServed();
    await auth.stop("SIGKILL");
    await bothAreServed();
    assert.equal((await byCookie.call("invoices", "POST /settle")).status, "503");
    await until("orders has lost sight of it", async () => (await byCookie.call("orders", "POST /pay")).status === "503");
    await bothAreServed();
    // What the proxy says in its place is not for pages to read. It signs nobody out.
    assert.equal((await byBearer.account("refresh")).code, "out_of_reach");
    await bothAreServed();

    fronts.auth.forget();
    auth = await example.auth();
    fronts.auth.programPort = auth.port;
    for (const agent of ["hallpass-verify/", "node"]) {
      const isStream = ({ path, headers }) => path === "/auth/revocations" && headers["user-agent"].startsWith(agent);
      await fronts.auth.seen((exchange) => exchange.status === 200 && isStream(exchange));
    }
    await until("orders hears it again", async () => (await byCookie.call("orders", "POST /pay")).status === "200");
    assert.equal((await byBearer.call("invoices", "POST /settle")).status, "200");
    for (const page of [byCookie, byBearer]) assert.equal((await page.account("refresh")).status, "200");
    await bothAreServed();
  });

  test("a session that ends is refused by both within a second", async () => {
    await byCookie.feed("The feed is open");
    const { value: token } = (await byCookie.context.cookies(origins.orders)).find(({ name }) => name === ACCESS);
    assert.equal((await byCookie.account("logout")).status, "204");
    const start = Date.now();
    const refusals = await Promise.all(
      services.map(async (name) => {
        const ask = () => send(www, "GET", url(name, LISTS[name]), { headers: bearer(token) });
        const { body } = await until(`${name} hears of it`, async () => {
          const answer = await ask();
          return answer.status === 401 && answer;
        });
        return { name, code: body.code, elapsed: Date.now() - start };
      }),
    );
    for (const { name, code, elapsed } of refusals) {
      assert.equal(code, "session_ended", name);
      assert.ok(elapsed < 1_000, `${name}: ${elapsed} ms`);
    }
    await byCookie.feed("The feed has ended: session_ended");
    // So is the cookie, if somebody has kept it; the other session goes on.
    const cookie = { name: ACCESS, value: token, domain: ".example.test", path: "/", secure: true, httpOnly: true };
    await byCookie.context.addCookies([cookie]);
    for (const name of services) {
      const { status, code } = await byCookie.call(name, LISTS[name]);
      assert.deepEqual([status, code], ["401", "session_ended"], name);
      assert.equal((await byBearer.call(name, LISTS[name])).status, "200", name);
    }
  });
});
