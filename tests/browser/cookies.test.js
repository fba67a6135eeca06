// Cookies in the jar of a real browser: what is stored, who gets it, what a neighbour can do to it, what is left at the end.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { newProfile, openPage, send, startBrowser } from "./support/browser.js";
import { startProgram } from "./support/program.js";
import { startSite } from "./support/site.js";
import { RESOLVER, selfSigned } from "./support/tls.js";

const EMPTY = "<!doctype html><title>page</title>";
const ALICE = { email: "alice@example.com", password: "correct horse battery" };
const MALLORY = { email: "mallory@example.com", password: "a trap for somebody" };
/** A browser keeps 180 cookies of a site, and throws away down to 150 when there is one more. */
const FLOOD = 240;
const THROWN_AWAY = 31;

const HOST = { access: "__Host-hp_access", refresh: "__Secure-hp_refresh", csrf: "__Host-hp_csrf" };
const SHARED = { access: "__Secure-hp_access", refresh: "__Secure-hp_refresh", csrf: "__Secure-hp_csrf" };
const PLAIN = { access: "hp_access", refresh: "hp_refresh", csrf: "hp_csrf" };

/** Configurations, the names they give, and what a browser must have stored. */
const CONFIGURATIONS = {
  "http on loopback": { scheme: "http", names: PLAIN, settings: {}, domain: "app.site.localhost" },
  "https, one host": { scheme: "https", names: HOST, settings: {}, domain: "app.example.test" },
  "https, a shared domain": {
    scheme: "https",
    names: SHARED,
    settings: { HALLPASS_COOKIES_DOMAIN: "example.test" },
    domain: ".example.test",
  },
  "https, partitioned": {
    scheme: "https",
    names: HOST,
    settings: {
      HALLPASS_COOKIES_PARTITIONED: "true",
      HALLPASS_COOKIES_ACCESS_SAME_SITE: "none",
      HALLPASS_COOKIES_REFRESH_SAME_SITE: "none",
      HALLPASS_COOKIES_CSRF_SAME_SITE: "none",
    },
    domain: "app.example.test",
    sameSite: "None",
    partition: "https://example.test",
  },
};

let browser, tls;
before(async () => {
  tls = selfSigned();
  browser = await startBrowser([RESOLVER]);
});
after(() => browser?.close());

for (const [title, configuration] of Object.entries(CONFIGURATIONS)) {
  const { scheme, names, settings, domain, partition } = configuration;
  const sameSites = configuration.sameSite
    ? { access: "None", refresh: "None", csrf: "None" }
    : { access: "Lax", refresh: "Strict", csrf: "Lax" };

  describe(`cookies over ${title}`, () => {
    let program, front, neighbour, context, page, origins, received;

    before(async () => {
      received = [];
      const remember = (_url, request) => {
        received.push(request.headers.cookie ?? "");
        return EMPTY;
      };
      const secured = scheme === "https" ? { tls } : {};
      front = await startSite({ ...secured, pages: { "/own": EMPTY } });
      neighbour = await startSite({ ...secured, pages: { "/": remember, "/auth": remember } });
      const site = scheme === "https" ? "example.test" : "site.localhost";
      origins = {
        own: `${scheme}://app.${site}:${front.port}`,
        sibling: `${scheme}://evil.${site}:${neighbour.port}`,
        foreign: `${scheme}://evil.other.${scheme === "https" ? "test" : "localhost"}:${neighbour.port}`,
      };
      program = await startProgram("serve", { HALLPASS_PUBLIC_URL: origins.own, ...settings });
      front.programPort = program.port;
      const first = await newProfile(browser);
      const tab = await open(first, `${origins.own}/own`);
      assert.equal((await send(tab, "POST", "/auth/signup", { json: ALICE })).status, 201);
      await first.close();
    });
    after(async () => {
      await Promise.all([front?.stop(), neighbour?.stop()]);
      await program?.stop();
    });
    beforeEach(async () => {
      context = await newProfile(browser);
      page = await open(context, `${origins.own}/own`);
    });
    afterEach(() => context.close());

    const signIn = async () => {
      assert.equal((await send(page, "POST", "/auth/login", { json: ALICE })).status, 200);
    };
    const proof = async () => ({ "X-CSRF-Token": (await send(page, "GET", "/auth/csrf")).body.csrf_token });
    const refresh = (headers = {}) => send(page, "POST", "/auth/refresh", { headers });
    const me = async () => (await send(page, "GET", "/auth/me")).body?.email;
    const ours = async () => (await context.cookies()).filter((cookie) => cookie.name.includes("hp_"));

    test("ck_01_the_browser_stores_three_cookies_with_these_attributes", async () => {
      await signIn();
      const jar = new Map((await ours()).map((cookie) => [cookie.name, cookie]));
      assert.deepEqual([...jar.keys()].sort(), Object.values(names).sort());
      for (const [kind, name] of Object.entries(names)) {
        const { httpOnly, secure, path, sameSite, domain: stored } = jar.get(name);
        const found = { httpOnly, secure, path, sameSite, stored };
        const expected = {
          httpOnly: kind !== "csrf",
          secure: scheme === "https",
          path: kind === "refresh" ? "/auth" : "/",
          sameSite: sameSites[kind],
          stored: domain,
        };
        assert.deepEqual(found, expected, name);
        assert.equal(jar.get(name).partitionKey, partition, name);
      }
    });

    test("ck_02_ck_06_signing_out_leaves_no_cookie_of_ours_in_the_jar", async () => {
      await signIn();
      front.forget();
      assert.equal((await refresh(await proof())).status, 200);
      const answer = await send(page, "POST", "/auth/logout", { headers: await proof() });
      assert.equal(answer.status, 204);
      assert.deepEqual(await context.cookies(), []);
      const set = front.exchanges.flatMap((exchange) => exchange.setCookies);
      assert.ok(set.length >= 6, "one refresh, one sign-out");
      for (const line of set.filter((line) => line.startsWith("__Host-"))) {
        assert.match(line, /; Path=\/(;|$)/);
        assert.match(line, /; Secure(;|$)/);
        assert.doesNotMatch(line, /; Domain/i);
      }
      for (const exchange of front.exchanges.filter((exchange) => exchange.setCookies.length > 0)) {
        assert.match(exchange.answered["cache-control"], /no-store/);
      }
    });

    test("ck_21_a_sibling_gets_what_the_domain_shares_and_a_foreign_site_gets_nothing", async () => {
      await signIn();
      const got = async (url) => {
        received.length = 0;
        await (await open(context, url)).close();
        return received[0];
      };
      assert.equal(await got(`${origins.foreign}/auth`), "");
      const atRoot = await got(`${origins.sibling}/`);
      const atAuth = await got(`${origins.sibling}/auth`);
      const isShared = domain.startsWith(".");
      assert.equal(atRoot.includes(names.access), isShared);
      assert.equal(atAuth.includes(names.refresh), isShared);
      assert.ok(!atRoot.includes(names.refresh), "the refresh cookie keeps to its path");
    });

    test("a lost CSRF cookie closes the door and costs one question", async () => {
      await signIn();
      await context.clearCookies({ name: names.csrf });
      const closed = await refresh();
      assert.deepEqual([closed.status, closed.body.code], [403, "csrf_missing"]);
      assert.deepEqual((await ours()).map((cookie) => cookie.name).sort(), [names.access, names.refresh].sort());
      assert.equal((await refresh(await proof())).status, 200);
      assert.ok((await ours()).some((cookie) => cookie.name === names.csrf));
    });

    if (scheme === "https") {
      test("ck_10_a_percent_encoded_twin_planted_by_a_sibling_does_not_win", async () => {
        await signIn();
        const theirs = await mallorysToken(page);
        const alias = names.access.replace("H", "%48").replace("S", "%53");
        for (const path of ["/auth", "/"]) {
          await plant(context, origins.sibling, [`${alias}=${theirs}; Domain=example.test; Path=${path}; Secure`]);
        }
        front.forget();
        assert.equal(await me(), ALICE.email);
        const sent = await front.seen((exchange) => exchange.path === "/auth/me");
        const order = sent.cookies.filter((name) => name.endsWith("hp_access"));
        assert.deepEqual(order, [alias, names.access, alias], "one twin comes first, one last");
      });

      test("ck_09_a_twin_of_the_same_name_never_makes_a_user_somebody_else", async () => {
        await signIn();
        const theirs = await mallorysToken(page);
        for (const path of ["/auth", "/auth/me"]) {
          await plant(context, origins.sibling, [`${names.access}=${theirs}; Domain=example.test; Path=${path}; Secure`]);
        }
        const answer = await send(page, "GET", "/auth/me");
        if (domain.startsWith(".")) assert.equal(answer.status, 401);
        else assert.equal(answer.body.email, ALICE.email, "the browser lets nobody plant that name");
      });

      test("ck_13_a_flood_from_a_sibling_signs_out_at_most_and_signing_in_again_helps", async () => {
        await signIn();
        const before = (await ours()).map((cookie) => cookie.value);
        await plant(context, origins.sibling, numbered(FLOOD));
        // Partitioned cookies have a jar of their own, which the flood does not reach.
        const left = (await ours()).length;
        assert.equal(left, partition ? 3 : 0);
        const answer = await refresh();
        assert.equal(answer.status, partition ? 403 : 401);
        assert.equal(answer.body.code, partition ? "csrf_missing" : "not_authenticated");
        await signIn();
        assert.equal(await me(), ALICE.email);
        assert.equal((await refresh(await proof())).status, 200);
        for (const cookie of await ours()) assert.ok(!before.includes(cookie.value));
      });
    }

    if (scheme === "https" && !partition) {
      test("a flood that takes the access cookie alone is healed by a refresh", async () => {
        await plant(context, origins.sibling, numbered(THROWN_AWAY - 1, "old"));
        await signIn();
        const room = 180 - (await context.cookies()).length;
        await plant(context, origins.sibling, numbered(room + 1));
        assert.deepEqual((await ours()).map((cookie) => cookie.name).sort(), [names.csrf, names.refresh].sort());
        assert.equal(await me(), undefined);
        assert.equal((await refresh(await proof())).status, 200);
        assert.equal(await me(), ALICE.email);
      });
    }

    if (domain.startsWith(".")) {
      test("ck_09_a_csrf_cookie_replaced_by_a_sibling_proves_nothing_and_the_right_one_is_at_hand", async () => {
        await signIn();
        await plant(context, origins.sibling, [`${names.csrf}=made-up; Domain=example.test; Path=/; Secure`]);
        const readable = await page.evaluate(() => document.cookie);
        assert.match(readable, /__Secure-hp_csrf=made-up/);
        const closed = await refresh({ "X-CSRF-Token": "made-up" });
        assert.deepEqual([closed.status, closed.body.code], [403, "csrf_invalid"]);
        assert.equal((await refresh(await proof())).status, 200);
      });
    }
  });
}

async function open(context, url) {
  const { page } = await openPage(context);
  await page.goto(url);
  return page;
}

/** Sets cookies by script on a page of a neighbour. */
async function plant(context, origin, cookies) {
  const page = await open(context, `${origin}/`);
  await page.evaluate((cookies) => {
    for (const cookie of cookies) document.cookie = cookie;
    // Reading waits until all of them are in the jar.
    return document.cookie.length;
  }, cookies);
  await page.close();
}

function numbered(count, name = "c") {
  return Array.from({ length: count }, (_, index) => `${name}${index}=1; Domain=example.test; Path=/; Secure`);
}

/** An access token that is good, and somebody else's. */
async function mallorysToken(page) {
  const options = { json: { ...MALLORY, delivery: "body" }, credentials: "omit" };
  await send(page, "POST", "/auth/signup", options);
  const answer = await send(page, "POST", "/auth/login", options);
  assert.equal(answer.status, 200);
  return answer.body.access_token;
}
