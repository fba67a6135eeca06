// A user of the program, without a browser.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";

const PASSWORD = "a long and quiet password";
/** How long something may take that happens by itself, and how often to look. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 50;

/** Signs somebody up and returns the session answer, with both tokens in it. */
export function signedUp(origin) {
  return post(`${origin}/auth/signup`, { email: "ada@example.com", password: PASSWORD, delivery: "body" }, 201);
}

/** Returns the next session answer. */
export function refreshed(origin, session) {
  return post(`${origin}/auth/refresh`, { refresh_token: session.refresh_token }, 200);
}

/** Tries until the outcome is good, and returns it. */
export async function until(what, attempt, isGood) {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  for (;;) {
    const outcome = await attempt();
    if (isGood(outcome)) return outcome;
    await setTimeout(PAUSE_MS, undefined, { signal: patience }).catch(() => assert.fail(`never came: ${what}`));
  }
}

async function post(url, body, status) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  assert.equal(answer.status, status, url);
  return answer.json();
}
