// Tabs and networks as they are: two tabs at once, a lost answer, no network. Nobody is signed out by any of it.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { newProfile, startBrowser } from "./support/browser.js";
import { openDemo } from "./support/demo.js";
import { startProgram } from "./support/program.js";
import { startSite } from "./support/site.js";

const TABS = 4;
const ROUNDS = 20;
const isRefresh = (exchange) => exchange.path === "/auth/refresh";

describe("tabs and networks", () => {
  let program, front, browser, context, demo, origin;

  before(async () => {
    front = await startSite();
    origin = `http://localhost:${front.port}`;
    // A grace period of 2 s, so that it can also be over.
    program = await startProgram("demo", { HALLPASS_PUBLIC_URL: origin, HALLPASS_TOKENS_REFRESH_GRACE: "2s" });
    front.programPort = program.port;
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    await front?.stop();
    await program?.stop();
  });
  beforeEach(async () => {
    context = await newProfile(browser);
    demo = await openDemo(context, origin);
    await demo.signInAll();
    front.forget();
  });
  afterEach(async () => {
    front.loses = () => false;
    front.holds = async () => {};
    await context.close();
  });

  const jar = async () => new Map((await context.cookies()).map((cookie) => [cookie.name, cookie.value]));
  const refreshes = () => front.exchanges.filter(isRefresh);

  test("rf_06_four_tabs_that_present_one_token_at_once_share_one_session_twenty_times", async () => {
    const session = await demo.session("cookie");
    const tabs = [demo];
    while (tabs.length < TABS) tabs.push(await openDemo(context, origin));
    for (let round = 0; round < ROUNDS; round += 1) {
      front.forget();
      front.holds = meeting(TABS);
      const outcomes = await Promise.all(tabs.map((tab) => tab.pressBehind("cookie", "refresh")));
      const told = outcomes.map((outcome) => `${outcome.status} ${outcome.code}`.trim());
      assert.deepEqual(told, Array(TABS).fill("200"), `round ${round}`);
      const handedOut = refreshes().map((exchange) => exchange.setCookies.find((line) => line.startsWith("hp_refresh=")));
      assert.equal(handedOut.length, TABS);
      assert.equal(new Set(handedOut.map((line) => line.split(";")[0])).size, 1, "one successor");
    }
    for (const tab of tabs) {
      assert.equal(await tab.session("cookie"), session);
      await tab.succeeds("cookie", "post", "200");
    }
  });

  test("rf_07_a_refresh_whose_answer_is_lost_is_repeated_with_the_same_cookie", async () => {
    const session = await demo.session("cookie");
    const before = await jar();
    front.loses = isRefresh;
    const lost = await demo.press("cookie", "refresh");
    assert.equal(lost.kind, "offline");
    assert.ok(refreshes().length > 0, "the server rotated");
    assert.ok(refreshes().every((exchange) => exchange.status === 200));
    assert.deepEqual(await jar(), before, "the browser knows nothing of it");
    assert.equal(await demo.state("cookie"), "in");

    front.loses = () => false;
    await demo.succeeds("cookie", "refresh", "200");
    assert.equal(await demo.session("cookie"), session);
    assert.notEqual((await jar()).get("hp_refresh"), before.get("hp_refresh"));
    await demo.succeeds("cookie", "refresh", "200");
    await demo.succeeds("cookie", "post", "200");
  });

  test("an answer lost for longer than the grace period is no theft when the attempt keeps its key", async () => {
    const other = await openDemo(context, origin);
    await other.part("sample-user").click();
    await other.part("bearer-signin").click();
    await other.becomes("bearer", "in");
    front.forget();
    const session = await demo.session("bearer");
    front.loses = isRefresh;
    assert.equal((await demo.press("bearer", "refresh")).kind, "offline");
    front.loses = () => false;
    const [lost] = refreshes();
    // A refresh that comes later says when its grace period is over: so is the lost one's, then.
    await other.succeeds("bearer", "refresh", "200");
    await other.page.getByText("its grace period is over").waitFor();
    front.forget();
    await demo.succeeds("bearer", "refresh", "200");
    assert.equal(await demo.session("bearer"), session);
    const [repeated] = refreshes();
    assert.equal(repeated.headers["idempotency-key"], lost.headers["idempotency-key"], "one attempt, one key");
    await demo.succeeds("bearer", "post", "200");
  });

  test("without a network nobody is signed out", async () => {
    const session = await demo.session("cookie");
    const before = await jar();
    await context.setOffline(true);
    for (const kind of ["cookie", "split", "bearer"]) {
      const outcome = await demo.press(kind, "refresh");
      assert.equal(outcome.kind, "offline", kind);
      assert.equal(await demo.state(kind), "in", kind);
    }
    assert.deepEqual(await jar(), before);
    assert.equal(refreshes().length, 0);
    await context.setOffline(false);
    for (const kind of ["cookie", "split", "bearer"]) await demo.succeeds(kind, "refresh", "200");
    assert.equal(await demo.session("cookie"), session);
  });

  test("signing out in one tab is signing out in the other, and signing in again brings both back", async () => {
    const other = await openDemo(context, origin);
    await demo.succeeds("cookie", "signout", "204");
    const refused = await other.press("cookie", "refresh");
    assert.deepEqual([refused.status, refused.code], ["401", "not_authenticated"]);
    assert.equal(await other.state("cookie"), "out");
    await demo.page.bringToFront();
    await demo.part("cookie-signin").click();
    await demo.becomes("cookie", "in");
    await other.reload();
    assert.equal(await other.session("cookie"), await demo.session("cookie"));
    await other.succeeds("cookie", "post", "200");
  });
});

/** Holds refreshes until so many are there, so that all of them carry the cookie that was there before. */
function meeting(count) {
  const waiting = [];
  return (request) => {
    if (request.url !== "/auth/refresh") return Promise.resolve();
    return new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length === count) waiting.forEach((go) => go());
    });
  };
}
