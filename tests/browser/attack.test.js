// The attacker's page of the demo, in the browser of somebody who is signed in.

import assert from "node:assert/strict";
import { after, before, beforeEach, afterEach, describe, test } from "node:test";
import { newProfile, openPage, startBrowser } from "./support/browser.js";
import { KINDS, openDemo, ready } from "./support/demo.js";
import { startProgram } from "./support/program.js";

/**
 * Where the attacker's page is, and what the server must answer to each attack from there. From another site no cookie
 * travels, so a request without a credential is nobody's; from the same site all of them do.
 */
const VANTAGES = [
  {
    from: "another site",
    host: "127.0.0.1",
    id: "cs_02",
    refusals: {
      "logout-form": "POST /auth/logout → 403 origin_denied",
      "login-fetch": "POST /auth/login → 403 origin_denied",
      "note-fetch": "POST /demo/note → 401 not_authenticated",
      "csrf-header": "OPTIONS /demo/note → 405 method_not_allowed",
      "junk-authorization": "OPTIONS /demo/note → 405 method_not_allowed",
    },
  },
  {
    from: "the same site",
    host: "localhost",
    id: "cs_03",
    refusals: {
      "logout-form": "POST /auth/logout → 403 origin_denied",
      "login-fetch": "POST /auth/login → 403 origin_denied",
      "note-fetch": "POST /demo/note → 403 origin_denied",
      "csrf-header": "OPTIONS /demo/note → 405 method_not_allowed",
      "junk-authorization": "OPTIONS /demo/note → 405 method_not_allowed",
    },
  },
];

describe("the attacker's page", () => {
  let program, browser, context, demo;

  before(async () => {
    program = await startProgram("demo", { HALLPASS_TOKENS_REFRESH_GRACE: "1s" });
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    await program?.stop();
  });
  beforeEach(async () => {
    context = await newProfile(browser);
    demo = await openDemo(context, program.origin);
    await demo.signInAll();
  });
  afterEach(() => context.close());

  async function openAttack(host) {
    const url = new URL(program.attackOrigin);
    url.hostname = host;
    const { page } = await openPage(context);
    await page.goto(url.href);
    return ready(page);
  }

  /** Waits for the verdict on an attack and returns how it is shown. */
  async function verdict(page, name) {
    const result = page.getByTestId(`attack-${name}-result`);
    await page.locator(`[data-testid="attack-${name}-result"]:is([data-kind=refused], [data-kind=answered])`).waitFor();
    const line = result.locator(".answered");
    return { kind: await result.getAttribute("data-kind"), line: (await line.count()) ? await line.textContent() : "" };
  }

  for (const { from, host, id, refusals } of VANTAGES) {
    test(`${id}_every_attack_from_${from.replaceAll(" ", "_")}_is_refused_and_the_session_goes_on`, async () => {
      const sessions = await Promise.all(KINDS.map((kind) => demo.session(kind)));
      const jar = await context.cookies();
      const page = await openAttack(host);
      assert.match(await page.getByTestId("relation").textContent(), host === "localhost" ? /^same site/ : /^another site/);
      for (const [name, line] of Object.entries(refusals)) {
        await page.getByTestId(`attack-${name}`).click();
        assert.deepEqual(await verdict(page, name), { kind: "refused", line }, name);
      }
      assert.deepEqual(await context.cookies(), jar, "no cookie was set, changed or cleared");
      for (const kind of KINDS) {
        await demo.succeeds(kind, "post", "200");
        await demo.succeeds(kind, "refresh", "200");
      }
      assert.deepEqual(await Promise.all(KINDS.map((kind) => demo.session(kind))), sessions);
    });
  }

  test("rf_02_a_stolen_refresh_token_that_is_replayed_ends_exactly_that_session", async () => {
    await demo.succeeds("bearer", "refresh", "200");
    await demo.part("bearer-loot").click();
    const loot = await demo.part("bearer-loot-text").inputValue();
    assert.match(loot, /^hpr_/);
    const stolen = await demo.session("bearer");
    await demo.page.getByText("its grace period is over").waitFor();

    const page = await openAttack("127.0.0.1");
    await page.getByTestId("loot").fill(loot);
    await page.getByTestId("attack-thief").click();
    const replay = await verdict(page, "thief");
    assert.deepEqual(replay, { kind: "refused", line: "POST /auth/refresh → 401 refresh_reused" });

    const ended = await demo.press("bearer", "refresh");
    assert.deepEqual([ended.status, ended.code], ["401", "session_ended"]);
    assert.equal(await demo.state("bearer"), "out");
    await demo.succeeds("cookie", "post", "200");
    await demo.succeeds("split", "refresh", "200");
    await demo.part("sessions-reload").click();
    await demo.page.locator(`[data-session="${stolen}"]`).waitFor({ state: "detached" });
    const alarms = program.log().filter((line) => line.includes('"refresh_reused"') && line.includes("audit"));
    assert.equal(alarms.length, 1, "one alarm for one theft");
  });

  test("a token that was never handed out raises no alarm", async () => {
    const alarms = program.log().filter((line) => line.includes("refresh_reused")).length;
    const page = await openAttack("127.0.0.1");
    await page.getByTestId("loot").fill("hpr_no-token-at-all");
    await page.getByTestId("attack-thief").click();
    const replay = await verdict(page, "thief");
    assert.deepEqual(replay, { kind: "refused", line: "POST /auth/refresh → 401 token_invalid" });
    await demo.succeeds("bearer", "refresh", "200");
    assert.equal(program.log().filter((line) => line.includes("refresh_reused")).length, alarms);
  });
});
