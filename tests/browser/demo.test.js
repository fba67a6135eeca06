// The demo as a visitor meets it: one account, three passes, two tabs, every session in sight.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { assertNoComplaints, newProfile, startBrowser } from "./support/browser.js";
import { KINDS, openDemo } from "./support/demo.js";
import { startProgram } from "./support/program.js";

const ROUNDS = 20;
/** The shortest life that an access token may have. */
const SHORT = { HALLPASS_TOKENS_ACCESS_TTL: "10s", HALLPASS_TOKENS_LEEWAY: "0s", HALLPASS_TOKENS_REFRESH_GRACE: "1s" };
const READABLE = ["hp_csrf", "hp_split_csrf"];
const SEALED = ["hp_access", "hp_refresh", "hp_split_refresh"];

describe("the demo", () => {
  let program, browser, context, demo, short, early;

  before(async () => {
    [program, short] = await Promise.all([startProgram("demo"), startProgram("demo", SHORT)]);
    browser = await startBrowser();
    // Its access tokens run out while the other tests run.
    early = await openDemo(await newProfile(browser), short.origin);
    await early.signInAll();
  });
  after(async () => {
    await browser?.close();
    await Promise.all([program?.stop(), short?.stop()]);
  });
  beforeEach(async () => {
    context = await newProfile(browser);
    demo = await openDemo(context, program.origin);
  });
  afterEach(() => context.close());

  const cookies = async () => new Map((await context.cookies()).map((cookie) => [cookie.name, cookie]));

  test("a new visitor signs up, and is signed in to the cookie pass", async () => {
    await demo.part("mode-signup").check({ force: true });
    await demo.part("name").fill("Ada Example");
    await demo.part("email").fill("ada@example.com");
    await demo.part("password").fill("correct horse battery");
    await demo.part("account-submit").click();
    await demo.becomes("cookie", "in");
    assert.equal(await demo.text("cookie-state"), "ada@example.com");
    assert.equal(await demo.state("bearer"), "out");
    assertNoComplaints(demo.complaints);
  });

  test("a refused sign-up and a refused sign-in say so where the visitor typed", async () => {
    await demo.part("email").fill("sample@example.com");
    await demo.part("password").fill("not the password");
    await demo.part("account-submit").click();
    await demo.page.getByText("(401 invalid_credentials)").waitFor();
    await demo.part("mode-signup").check({ force: true });
    await demo.part("account-submit").click();
    await demo.page.getByText("(409 email_taken)").waitFor();
    await demo.part("email").fill("bea@example.com");
    await demo.part("password").fill("short");
    await demo.part("account-submit").click();
    await demo.page.getByText("(422 validation_failed)").waitFor();
    assert.notEqual(await demo.text("password-error"), "");
    assertNoComplaints(demo.complaints, [401, 409, 422]);
  });

  test("ck_18_script_reads_no_cookie_but_the_csrf_token_and_that_tells_nothing", async () => {
    await demo.signInAll();
    const jar = await cookies();
    assert.deepEqual([...jar.keys()].sort(), [...SEALED, ...READABLE].sort());
    const readable = await demo.page.evaluate(() => document.cookie.split("; ").map((pair) => pair.split("=")[0]));
    assert.deepEqual(readable.sort(), READABLE);
    for (const name of SEALED) assert.equal(jar.get(name).httpOnly, true, name);
    const secrets = SEALED.map((name) => jar.get(name).value);
    for (const kind of KINDS) secrets.push(await demo.session(kind));
    for (const name of READABLE) {
      for (const secret of secrets) assert.ok(!jar.get(name).value.includes(secret), name);
    }
    const stored = await demo.page.evaluate(() => localStorage.length + sessionStorage.length);
    assert.equal(stored, 0);
    assertNoComplaints(demo.complaints);
  });

  test("co_07_the_split_pass_keeps_its_access_token_in_memory_and_comes_back_after_a_reload", async () => {
    const answers = [];
    demo.page.on("response", (response) => {
      if (/^\/split\/auth\/(login|refresh)$/.test(new URL(response.url()).pathname)) answers.push(response.json());
    });
    await demo.signInAll();
    const session = await demo.session("split");
    await demo.reload();
    await demo.becomes("split", "in");
    assert.equal(await demo.session("split"), session);
    const used = await demo.succeeds("split", "get", "200");
    assert.match(used.words, /from the header/);
    const bodies = await Promise.all(answers);
    assert.equal(bodies.length, 2, "one login, one refresh");
    const values = [...(await cookies()).values()].map((cookie) => cookie.value);
    for (const body of bodies) {
      assert.equal(body.token_type, "Bearer");
      assert.ok(!values.includes(body.access_token));
      assert.ok(!("refresh_token" in body));
    }
    assertNoComplaints(demo.complaints);
  });

  test("a reload brings the cookie pass back and not the bearer pass", async () => {
    await demo.signInAll();
    const session = await demo.session("cookie");
    await demo.reload();
    assert.equal(await demo.session("cookie"), session);
    assert.equal(await demo.state("bearer"), "out");
    assertNoComplaints(demo.complaints);
  });

  test("each pass reads, writes, refreshes and stands two refreshes at once", async () => {
    await demo.signInAll();
    for (const kind of KINDS) {
      const session = await demo.session(kind);
      const read = await demo.succeeds(kind, "get", "200");
      assert.match(read.words, kind === "cookie" ? /from the cookie/ : /from the header/);
      await demo.succeeds(kind, "post", "200");
      await demo.succeeds(kind, "refresh", "200");
      const race = await demo.succeeds(kind, "race", "200 + 200");
      assert.match(race.words, kind === "bearer" ? /both got the same successor/ : /still one session/);
      assert.equal(await demo.session(kind), session);
      await demo.succeeds(kind, "post", "200");
    }
    assert.match(await demo.text("bearer-words"), /written/);
    assertNoComplaints(demo.complaints);
  });

  test("rf_05_two_tabs_that_refresh_at_once_stay_signed_in_twenty_times", async () => {
    await demo.signInAll();
    const session = await demo.session("cookie");
    const other = await openDemo(context, program.origin);
    assert.equal(await other.session("cookie"), session);
    for (let round = 0; round < ROUNDS; round += 1) {
      const outcomes = await Promise.all([demo, other].map((tab) => tab.pressBehind("cookie", "refresh")));
      assert.deepEqual(outcomes.map((outcome) => outcome.status), ["200", "200"], `round ${round}`);
    }
    for (const tab of [demo, other]) {
      assert.equal(await tab.session("cookie"), session);
      await tab.succeeds("cookie", "post", "200");
      assertNoComplaints(tab.complaints);
    }
  });

  test("signing out of one pass leaves the others signed in", async () => {
    await demo.signInAll();
    const refresh = (await cookies()).get("hp_refresh").value;
    await demo.succeeds("cookie", "signout", "204");
    assert.equal(await demo.state("cookie"), "out");
    const left = [...(await cookies()).keys()].sort();
    assert.deepEqual(left, ["hp_split_csrf", "hp_split_refresh"]);
    await demo.succeeds("split", "post", "200");
    await demo.succeeds("bearer", "refresh", "200");
    const gone = await demo.press("cookie", "get");
    assert.deepEqual([gone.status, gone.code], ["401", "not_authenticated"]);
    // Also for somebody who kept a copy of the cookie.
    await context.addCookies([{ name: "hp_refresh", value: refresh, domain: "localhost", path: "/auth", httpOnly: true }]);
    const answer = await demo.page.evaluate(async () => (await fetch("/auth/csrf")).status);
    assert.equal(answer, 401);
    assertNoComplaints(demo.complaints, [401]);
  });

  test("the list shows every session, ends one, and ends all others", async () => {
    await demo.signInAll();
    await demo.succeeds("cookie", "signout", "204");
    await demo.part("cookie-signin").click();
    await demo.becomes("cookie", "in");
    await demo.part("sessions-via").selectOption("cookie");
    // This account has the sessions of the other tests too.
    await demo.part("sessions-end-others").click();
    const own = await demo.session("cookie");
    assert.deepEqual(await demo.sessions(1), [own]);
    assert.equal(await demo.part("session-current").isVisible(), true);
    assert.equal((await demo.press("split", "get")).code, "session_ended");
    assert.equal((await demo.press("bearer", "refresh")).code, "session_ended");

    await demo.part("split-signin").click();
    await demo.becomes("split", "in");
    const listed = await demo.sessions(2);
    const ended = await demo.session("split");
    assert.deepEqual([...listed].sort(), [own, ended].sort());
    await demo.page.locator(`[data-session="${ended}"]`).getByTestId("session-end").click();
    assert.deepEqual(await demo.sessions(1), [own]);
    assert.equal((await demo.press("split", "get")).code, "session_ended");
    await demo.succeeds("cookie", "post", "200");
    assertNoComplaints(demo.complaints, [401]);
  });

  test("an access token that ran out is told, and a refresh brings the next one", async () => {
    await early.page.locator('[data-testid="bearer-panel"][data-expired=true]').waitFor();
    const late = await early.press("bearer", "get");
    assert.deepEqual([late.status, late.code], ["401", "token_expired"]);
    await early.succeeds("bearer", "refresh", "200");
    await early.succeeds("bearer", "get", "200");
    assertNoComplaints(early.complaints, [401]);
  });

  test("the page fits a desk and a telephone, in light and in dark", async () => {
    const kept = process.env.SCREENSHOTS;
    const folder = kept || (await mkdtemp(join(tmpdir(), "hallpass-pictures-")));
    await mkdir(folder, { recursive: true });
    try {
      await demo.signInAll();
      await demo.succeeds("cookie", "get", "200");
      await demo.succeeds("bearer", "refresh", "200");
      for (const origin of [program.origin, program.attackOrigin]) {
        const place = origin === program.origin ? "demo" : "attack";
        if (place === "attack") await demo.page.goto(`${origin}/`);
        await demo.page.locator("html[data-ready=true]").waitFor();
        for (const colorScheme of ["light", "dark"]) {
          for (const width of [1280, 390]) {
            await demo.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
            await demo.page.setViewportSize({ width, height: 900 });
            await demo.page.screenshot({ path: join(folder, `${place}-${colorScheme}-${width}.png`), fullPage: true });
            const wide = await demo.page.evaluate(() => document.documentElement.scrollWidth);
            assert.ok(wide <= width, `${place} ${colorScheme}: ${wide} px on a screen of ${width} px`);
          }
        }
      }
    } finally {
      if (!kept) await rm(folder, { recursive: true });
    }
  });
});
