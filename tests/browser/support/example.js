// The pages of the examples that answer the manuals of other systems: a form or two, and what was answered.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { openPage } from "./browser.js";

/** Opens the page of an example. */
export async function openExample(context, url) {
  const { page, complaints } = await openPage(context);
  await page.goto(url);
  return new Example(page, complaints);
}

class Example {
  constructor(page, complaints) {
    this.page = page;
    this.complaints = complaints;
  }

  /**
   * Presses a button and returns what the page says in the end.
   * @param {string} button Its value, or more of a selector after it: `POST /notes`, `POST /notes[name=without]`.
   * @param {string} part Where the button is, and the answer.
   */
  async press(button, part = "main") {
    await this.page.bringToFront();
    const [, value, more] = button.match(/^([^[]*)(.*)$/);
    await this.page.locator(`${part} button[value="${value}"]${more}`).first().click();
    const output = this.page.locator(`${part} output[data-ok]`);
    await output.waitFor();
    const [asked, ...lines] = (await output.textContent()).split("\n");
    assert.equal(asked, value);
    const [, status, text] = lines.join("\n").match(/^(\d*) ?(.*)$/s);
    return { status: Number(status), text };
  }

  /** Presses a button and expects a status. Returns what was answered. */
  async expect(button, status, part) {
    const answer = await this.press(button, part);
    assert.equal(answer.status, status, `${button}: ${answer.text}`);
    return answer.text;
  }
}

/** Sends a request as a program does that is no browser: no cookie, no origin. */
export async function call(url, method, { token, json } = {}) {
  const headers = { ...(token && { Authorization: `Bearer ${token}` }), ...(json !== undefined && { "Content-Type": "application/json" }) };
  const answer = await fetch(url, { method, headers, body: json === undefined ? undefined : JSON.stringify(json) });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null, cookies: answer.headers.getSetCookie() };
}

/**
 * Returns the JavaScript of a manual, by the names that `data/documents` gives its parts.
 * @param {Record<string, string>} filled What stands in the manual for something else.
 * @returns {Map<string, string>}
 */
export function snippetsOf(manual, filled = {}) {
  const text = readFileSync(new URL(`../data/documents/${manual}.js`, import.meta.url), "utf8");
  const parts = text.split(/^\/\/\/\/ (.*)\n/m).slice(1);
  const snippets = new Map();
  for (let at = 0; at < parts.length; at += 2) {
    const fill = (snippet, [mark, something]) => snippet.replaceAll(mark, something);
    snippets.set(parts[at], Object.entries(filled).reduce(fill, parts[at + 1]));
  }
  return snippets;
}
