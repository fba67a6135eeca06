// WebSockets and event streams in a real browser: what our page does with them, and what others may not.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { MEASURED } from "./support/attacks.js";
import { newProfile, openPage, startBrowser, startProfile } from "./support/browser.js";
import { startExample } from "./support/program.js";
import { startSite } from "./support/site.js";
import { RESOLVER, selfSigned } from "./support/tls.js";

const EMPTY = "<!doctype html><title>page</title>";
const OF_WEBSOCKETS = "cross-site WebSocket, third-party cookies allowed";
const OF_FETCH = "same, third-party cookies allowed by profile";

/** Presses a button of the page of the example. */
const press = (page, button) => page.click(button);
/** Waits until the page has logged a line that begins so, so many times, and returns the last. */
async function logged(page, start, times = 1) {
  const lines = () => page.evaluate(() => document.getElementById("log").textContent.split("\n"));
  await page.waitForFunction(
    ({ start, times }) =>
      document.getElementById("log").textContent.split("\n").filter((line) => line.startsWith(start)).length >= times,
    { start, times },
  ).catch(async (fault) => assert.fail(`${fault}: ${(await lines()).join(" | ")}`));
  return (await lines()).filter((line) => line.startsWith(start)).at(-1);
}

/** Lets a page open a WebSocket and returns what comes first: `open PROTOCOL` or `refused`. */
function openSocket(page, url, protocols = []) {
  return page.evaluate(
    ({ url, protocols }) =>
      new Promise((resolve) => {
        const socket = new WebSocket(url, protocols);
        socket.onopen = () => resolve(`open ${socket.protocol}`.trim());
        socket.onerror = () => resolve("refused");
      }),
    { url, protocols },
  );
}

/** Lets a page without a name, whose origin is `null`, open a WebSocket and returns what comes first. */
function openSocketInSandbox(page, url) {
  return page.evaluate(
    (url) =>
      new Promise((resolve) => {
        addEventListener("message", ({ data }) => resolve(data), { once: true });
        const frame = document.createElement("iframe");
        frame.setAttribute("sandbox", "allow-scripts");
        frame.srcdoc = `<script>
          const socket = new WebSocket("${url}");
          socket.onopen = () => parent.postMessage("open", "*");
          socket.onerror = () => parent.postMessage("refused", "*");
        </script>`;
        document.body.append(frame);
      }),
    url,
  );
}

/** Lets a page open an event stream with its cookies and returns what comes first. */
function openEvents(page, url) {
  return page.evaluate(
    (url) =>
      new Promise((resolve) => {
        const events = new EventSource(url, { withCredentials: true });
        const done = (what) => () => (events.close(), resolve(what));
        events.onopen = done("open");
        events.onerror = done("refused");
      }),
    url,
  );
}

describe("connections that outlive their request", () => {
  let program, browser, context, front, strangers, home, origins;

  before(async () => {
    [front, strangers] = await Promise.all([startSite(), startSite({ pages: { "/": EMPTY } })]);
    origins = {
      own: `http://app.site.localhost:${front.port}`,
      sibling: `http://evil.site.localhost:${strangers.port}`,
      cross: `http://evil.other.localhost:${strangers.port}`,
    };
    program = await startExample("examples/live", origins.own);
    front.programPort = program.port;
    browser = await startBrowser();
    context = await newProfile(browser);
    ({ page: home } = await openPage(context));
    await home.goto(`${origins.own}/`);
    await press(home, "button[value=signup]");
    await logged(home, "/auth/signup 201");
  });
  after(async () => {
    await browser?.close();
    await Promise.all([front?.stop(), strangers?.stop()]);
    await program?.stop();
  });

  const socketUrl = () => `${origins.own.replace("http", "ws")}/socket`;
  /** A ticket, as our own page gets one. */
  const ticket = () =>
    home.evaluate(async () => {
      const headers = { "X-CSRF-Token": csrf };
      return (await (await fetch("/auth/ticket", { method: "POST", headers })).json()).ticket;
    });

  test("cs_24_a_page_of_another_origin_opens_neither_a_socket_nor_a_stream_with_our_cookie", async () => {
    for (const from of ["sibling", "cross"]) {
      const { page } = await openPage(context);
      await page.goto(origins[from]);
      front.forget();
      assert.equal(await openSocket(page, socketUrl()), "refused", from);
      const socket = await front.seen((exchange) => exchange.path === "/socket");
      assert.equal(socket.headers.origin, origins[from]);
      // A page of the same site has the cookie to send; one of another site is nobody.
      const expected = from === "sibling" ? [true, 403, "origin_denied"] : [false, 401, "not_authenticated"];
      assert.deepEqual([socket.cookies.includes("hp_access"), socket.status, socket.code], expected);
      assert.equal(await openEvents(page, `${origins.own}/events`), "refused", from);
      const events = await front.seen((exchange) => exchange.path === "/events");
      assert.deepEqual([events.cookies.includes("hp_access"), events.status, events.code], expected);
      await page.close();
    }
  });

  test("a page of another origin comes with a ticket, once", async () => {
    const { page } = await openPage(context);
    await page.goto(origins.cross);
    const protocols = ["hallpass.ticket", await ticket()];
    assert.equal(await openSocket(page, socketUrl(), protocols), "open hallpass.ticket");
    front.forget();
    assert.equal(await openSocket(page, socketUrl(), protocols), "refused");
    const { status, code } = await front.seen((exchange) => exchange.path === "/socket");
    assert.deepEqual([status, code], [401, "token_invalid"]);
    await page.close();
  });

  test("our page opens both, renews, and both end when it signs out", async () => {
    await press(home, "#open");
    assert.equal(await logged(home, "socket open"), "socket open");
    assert.equal(await logged(home, "socket says"), "socket says hello");
    await logged(home, "events open");
    assert.equal(await logged(home, "events say 1"), "events say 1");
    await press(home, "#renew");
    await logged(home, "/auth/ticket 201");
    assert.match(await logged(home, 'socket says {"type"'), /"hallpass\.renewed","expires_in":(900|899|898)\}$/);

    const { page: second } = await openPage(context);
    await second.goto(`${origins.own}/`);
    assert.equal(await openSocket(second, `${socketUrl()}?ticket=${await ticket()}`), "open");
    const left = second.evaluate(
      (url) =>
        new Promise((resolve) => {
          const socket = new WebSocket(url);
          socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean });
          socket.onopen = () => (document.title = "open");
        }),
      socketUrl(),
    );
    await second.waitForFunction(() => document.title === "open");

    await press(home, "button[value=logout]");
    await logged(home, "/auth/logout 204");
    assert.equal(await logged(home, "socket closed"), "socket closed 4403 session_ended");
    assert.equal(await logged(home, "events end"), 'events end {"code":"session_ended"}');
    assert.deepEqual(await left, { code: 4403, reason: "session_ended", wasClean: true });
    // It comes back without a session, and gives up.
    await logged(home, "events refused");
    await second.close();
  });
});

describe("a cookie that every site may send", () => {
  let program, context, folder, front, strangers, home, origins;

  before(async () => {
    const tls = selfSigned();
    [front, strangers] = await Promise.all([startSite({ tls }), startSite({ tls, pages: { "/": EMPTY } })]);
    origins = { own: `https://app.example.test:${front.port}`, cross: `https://evil.other.test:${strangers.port}` };
    program = await startExample("examples/live", origins.own);
    front.programPort = program.port;
    folder = await mkdtemp(join(tmpdir(), "hallpass-browser-"));
    context = await startProfile(folder, [RESOLVER]);
    ({ page: home } = await openPage(context));
    await home.goto(`${origins.own}/`);
    await press(home, "button[value=signup]");
    await logged(home, "/auth/signup 201");
    // What an operator should not do: the access cookie travels everywhere.
    const lax = (await context.cookies(origins.own)).find((cookie) => cookie.name === "__Host-hp_access");
    await context.addCookies([{ ...lax, sameSite: "None" }]);
  });
  after(async () => {
    await context?.close();
    await Promise.all([front?.stop(), strangers?.stop()]);
    await program?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  function assertSent({ headers, cookies }, measured) {
    assert.deepEqual(measured.cookies_sent_chromium, ["none"]);
    assert.equal(measured.origin, "https://evil.test");
    assert.equal(headers.origin, origins.cross);
    for (const part of ["site", "mode", "dest"]) {
      assert.equal(headers[`sec-fetch-${part}`] ?? null, measured[`sec_fetch_${part}`], `Sec-Fetch-${part}`);
    }
    assert.equal(headers["content-type"] ?? null, measured.content_type);
    assert.deepEqual(cookies, ["__Host-hp_access"]);
  }

  test("cs_24_cross_site_websocket_third_party_cookies_allowed", async () => {
    const { page } = await openPage(context);
    await page.goto(origins.cross);
    const url = `${origins.own.replace("https", "wss")}/socket`;
    front.forget();
    assert.equal(await openSocket(page, url), "refused");
    const exchange = await front.seen((exchange) => exchange.path === "/socket");
    assertSent(exchange, MEASURED.get(OF_WEBSOCKETS));
    assert.deepEqual([exchange.status, exchange.code], [403, "origin_denied"]);
    front.forget();
    assert.equal(await openSocketInSandbox(page, url), "refused");
    const nameless = await front.seen((exchange) => exchange.path === "/socket");
    assert.deepEqual([nameless.headers.origin, nameless.cookies], ["null", ["__Host-hp_access"]]);
    assert.deepEqual([nameless.status, nameless.code], [403, "origin_denied"]);
    // The cookie itself is good: our own page opens a socket with it.
    assert.equal(await openSocket(home, url), "open");
    await page.close();
  });

  test("cs_02_same_third_party_cookies_allowed_by_profile", async () => {
    const { page } = await openPage(context);
    await page.goto(origins.cross);
    for (const path of ["/auth/logout", "/auth/ticket"]) {
      front.forget();
      await page.evaluate(
        (url) => fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body: "text" }).catch(() => {}),
        origins.own + path,
      );
      const exchange = await front.seen((exchange) => exchange.path === path);
      assertSent(exchange, MEASURED.get(OF_FETCH));
      assert.deepEqual([exchange.status, exchange.code], [403, "origin_denied"], path);
    }
    await page.close();
  });
});
