// A real browser, and what a test asks of a page.

import assert from "node:assert/strict";
import { accessSync, constants } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
/** How long a condition may take to come true, on a machine that does much else. */
const PATIENCE_MS = 20_000;

/** Starts a browser with a fresh profile. */
export async function startBrowser(more = []) {
  return chromium.launch({ executablePath: browserProgram(), headless: true, args: [...QUIET, ...more] });
}

/** Opens a profile of its own, in which everything waits with patience. */
export async function newProfile(browser, options = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  return context;
}

/** Starts a browser with a profile in this folder that lets third-party cookies through, as others do not. */
export async function startProfile(folder, more = []) {
  const preferences = { profile: { cookie_controls_mode: 0, block_third_party_cookies: false } };
  await mkdir(join(folder, "Default"), { recursive: true });
  await writeFile(join(folder, "Default", "Preferences"), JSON.stringify(preferences));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: browserProgram(),
    headless: true,
    ignoreHTTPSErrors: true,
    args: [...QUIET, ...more],
  });
  context.setDefaultTimeout(PATIENCE_MS);
  return context;
}

/** Opens a page and collects what it complains about: errors of script, of the console, of the content policy. */
export async function openPage(context) {
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (fault) => complaints.push(`script: ${fault.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      complaints.push(`${message.type()}: ${message.text()} ${message.location().url}`);
    }
  });
  return { page, complaints };
}

/** A page that may not know the name of its CSRF cookie asks the server whether there is a session: 401 says no. */
const ASKED = /responded with a status of 401 .*\/auth\/csrf$/;

/** Fails if a page complained about anything but answers with these statuses. */
export function assertNoComplaints(complaints, statuses = []) {
  const answered = (line) => statuses.some((status) => line.includes(`responded with a status of ${status} `));
  const expected = (line) => ASKED.test(line) || answered(line);
  assert.deepEqual(complaints.filter((line) => !expected(line)), []);
}

/** Returns the names of the cookies that a profile would send to this URL, or of all it has. */
export async function cookieNames(context, url) {
  return (await context.cookies(url)).map((cookie) => cookie.name).sort();
}

/**
 * Sends a request from the page, as a script of the page would, and returns the answer.
 * @returns {Promise<{status: number, body: any, lost?: boolean}>}
 */
export async function send(page, method, path, { json, headers = {}, credentials = "same-origin" } = {}) {
  const request = { method, path, json, headers, credentials };
  return page.evaluate(async ({ method, path, json, headers, credentials }) => {
    const all = json ? { "Content-Type": "application/json", ...headers } : headers;
    const body = json && JSON.stringify(json);
    try {
      const response = await fetch(path, { method, headers: all, body, credentials, cache: "no-store" });
      const text = await response.text();
      return { status: response.status, body: text ? JSON.parse(text) : null };
    } catch {
      return { status: 0, body: null, lost: true };
    }
  }, request);
}

function browserProgram() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const places = BROWSERS.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = places.find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!found) throw new Error("no browser: install Chromium, or name one in CHROMIUM");
  return found;
}
