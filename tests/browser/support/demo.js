// The pages of the demo, by the names that they give their parts.

import assert from "node:assert/strict";
import { openPage } from "./browser.js";

export const SAMPLE = { email: "sample@example.com", password: "a hall pass for the demo" };
export const KINDS = ["cookie", "split", "bearer"];

/** Opens the demo in a tab and waits until it is ready. */
export async function openDemo(context, origin) {
  const { page, complaints } = await openPage(context);
  await page.goto(`${origin}/`);
  return new Demo(await ready(page), complaints);
}

/** Waits until the page has done what it does on its own. */
export async function ready(page) {
  await page.locator("html[data-ready=true]").waitFor();
  return page;
}

export class Demo {
  constructor(page, complaints) {
    this.page = page;
    this.complaints = complaints;
  }

  part(name) {
    return this.page.getByTestId(name);
  }

  async text(name) {
    return (await this.part(name).textContent()).trim();
  }

  async reload() {
    await this.page.reload();
    await ready(this.page);
  }

  /** Signs the sample user in to all three passes. */
  async signInAll() {
    await this.part("sample-user").click();
    await this.part("sign-in-all").click();
    for (const kind of KINDS) await this.becomes(kind, "in");
    // The last panel is the last to say so, and then it asks for the list of sessions.
    await this.settled("bearer");
  }

  /** Waits until a pass is signed in, or out. */
  async becomes(kind, state) {
    await this.page.locator(`[data-testid="${kind}-panel"][data-state="${state}"]`).waitFor();
  }

  async state(kind) {
    return this.part(`${kind}-panel`).getAttribute("data-state");
  }

  async session(kind) {
    return this.part(`${kind}-session`).getAttribute("title");
  }

  /** Presses a button of a pass and returns what the pass says about the answer. */
  async press(kind, button) {
    // A tab in the background draws a frame a second, and a click waits for frames.
    await this.page.bringToFront();
    await this.part(`${kind}-${button}`).click();
    return this.outcome(kind);
  }

  /** Presses a button as `press` does, also in a tab that is not in front. */
  async pressBehind(kind, button) {
    await this.part(`${kind}-${button}`).dispatchEvent("click");
    return this.outcome(kind);
  }

  /** Waits for the call of a pass and returns what the pass says about the answer. */
  async outcome(kind) {
    await this.settled(kind);
    return {
      kind: await this.part(`${kind}-outcome`).getAttribute("data-kind"),
      status: await this.text(`${kind}-status`),
      code: await this.text(`${kind}-code`),
      words: await this.text(`${kind}-words`),
    };
  }

  /** Presses a button that must be answered with this status. */
  async succeeds(kind, button, status) {
    const outcome = await this.press(kind, button);
    assert.equal(outcome.status, status, `${kind} ${button}: ${JSON.stringify(outcome)}`);
    assert.equal(outcome.kind, "ok");
    return outcome;
  }

  /** Waits until a pass has no call under way. */
  async settled(kind) {
    await this.page.locator(`[data-testid="${kind}-panel"]:not([aria-busy])`).waitFor({ state: "attached" });
  }

  /** The ids of the sessions on the list, once there are so many. */
  async sessions(count) {
    await this.page.waitForFunction(
      (wanted) => document.querySelectorAll('[data-testid="session-row"]').length === wanted,
      count,
      { polling: 50 },
    );
    return this.part("session-row").evaluateAll((rows) => rows.map((row) => row.dataset.session));
  }
}
