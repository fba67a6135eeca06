// One session of one delivery: a method per route. Tokens that script holds never leave this object unless asked for.

import { isOver, isUnauthenticated, send } from "./wire.js";

/** @typedef {import("./wire.js").Outcome} Outcome */

/**
 * How a session is carried: the mount of the routes, the cookie that script may read, and whether the browser adds
 * cookies to calls of the auth routes and of the app's own routes.
 *
 * @typedef {object} Delivery
 * @property {"cookie" | "split" | "body"} name
 * @property {string} prefix
 * @property {string | null} csrfCookie
 * @property {RequestCredentials} authCredentials
 * @property {RequestCredentials} appCredentials
 */

/** @type {Record<"cookie" | "split" | "bearer", Delivery>} */
export const DELIVERIES = {
  cookie: {
    name: "cookie",
    prefix: "/auth",
    csrfCookie: "hp_csrf",
    authCredentials: "same-origin",
    appCredentials: "same-origin",
  },
  split: {
    name: "split",
    prefix: "/split/auth",
    csrfCookie: "hp_split_csrf",
    authCredentials: "same-origin",
    appCredentials: "omit",
  },
  bearer: {
    name: "body",
    prefix: "/auth",
    csrfCookie: null,
    authCredentials: "omit",
    appCredentials: "omit",
  },
};

/** What the demo says about itself: the sample user, the lifetimes, and where the attacker's page is. */
export async function demoConfig() {
  return send("GET", "/demo/config");
}

export class Client {
  /** @type {string | null} */ #access = null;
  /** @type {string | null} */ #refresh = null;
  /** @type {string | null} */ #csrf = null;
  /** @type {string | null} */ #attempt = null;
  #accessTtlSeconds = 0;

  /** @type {{email: string, name?: string} | null} */ user = null;
  /** @type {string | null} */ sessionId = null;
  /** When the access token ends, on this page's monotonic clock: a wrong wall clock changes nothing. */
  deadlineMs = 0;
  lifetimeMs = 0;
  /**
   * The refresh token before the present one: what a thief of an old copy would hold.
   * @type {{token: string, replacedAtMs: number} | null}
   */
  previous = null;

  /** @param {Delivery} delivery */
  constructor(delivery) {
    this.delivery = delivery;
  }

  get signedIn() {
    return this.sessionId !== null;
  }

  /** @param {{email: string, password: string, name?: string}} fields */
  async signup(fields) {
    return this.#open("/signup", fields);
  }

  /** @param {{email: string, password: string}} fields */
  async login({ email, password }) {
    return this.#open("/login", { email, password });
  }

  /**
   * Renews the session. An attempt keeps its key until it is answered, so a refresh whose answer was lost can be
   * repeated and gets the same successor.
   */
  async refresh() {
    this.#attempt ??= crypto.randomUUID();
    const outcome = await this.#rotate(this.#attempt);
    if (outcome.kind === "ok" || outcome.kind === "rejected") this.#attempt = null;
    this.#settle([outcome]);
    return outcome;
  }

  /** Two refreshes with one token and a key each, as two tabs would send them. */
  async refreshTwice() {
    await this.#csrfToken();
    const outcomes = await Promise.all([this.#rotate(crypto.randomUUID()), this.#rotate(crypto.randomUUID())]);
    this.#settle(outcomes);
    return outcomes;
  }

  /** Ends the session. What script holds goes when the server agreed, or has nothing left to end. */
  async logout() {
    const outcome = await this.#asHolder("/logout");
    if (outcome.kind === "ok" || isUnauthenticated(outcome)) this.forget();
    return outcome;
  }

  /**
   * Brings a session back after a reload, from its cookies alone. Nothing comes back where nothing was kept.
   * @param {number} accessTtlSeconds
   * @returns {Promise<Outcome | null>}
   */
  async restore(accessTtlSeconds) {
    this.#accessTtlSeconds = accessTtlSeconds;
    if (!(await this.#csrfToken())) return null;
    if (this.delivery.name === "split") return this.refresh();
    const outcome = await this.me();
    if (isUnauthenticated(outcome)) return this.refresh();
    if (outcome.kind !== "ok") return outcome;
    this.user = outcome.body;
    return this.whoami();
  }

  async me() {
    return this.#asCaller("GET", `${this.delivery.prefix}/me`);
  }

  async sessions() {
    return this.#asCaller("GET", `${this.delivery.prefix}/sessions`);
  }

  /** @param {string} id */
  async endSession(id) {
    return this.#asCaller("DELETE", `${this.delivery.prefix}/sessions/${encodeURIComponent(id)}`);
  }

  async endOtherSessions() {
    return this.#asCaller("DELETE", `${this.delivery.prefix}/sessions?keep=current`);
  }

  /** The app's protected GET. It also tells which session answered, and how long its access token still lives. */
  async whoami() {
    const outcome = await this.#asCaller("GET", "/demo/whoami");
    if (outcome.kind === "ok" && this.user) {
      this.sessionId = outcome.body.session;
      this.#lasts(outcome.body.expires_in);
    }
    return outcome;
  }

  /** The app's protected POST. */
  async note() {
    return this.#asCaller("POST", "/demo/note", { note: "hello" });
  }

  /** What script can see of the tokens, shortened. An HttpOnly cookie is not among it. */
  held() {
    const { csrfCookie } = this.delivery;
    return {
      access: shortened(this.#access),
      refresh: shortened(this.#refresh),
      csrf: shortened(csrfCookie ? readCookie(csrfCookie) : null),
    };
  }

  forget() {
    this.#access = this.#refresh = this.#csrf = this.#attempt = this.previous = null;
    this.user = this.sessionId = null;
    this.deadlineMs = this.lifetimeMs = 0;
  }

  async #open(path, fields) {
    const { prefix, name, authCredentials } = this.delivery;
    const json = { ...fields, delivery: name };
    const outcome = await send("POST", prefix + path, { json, credentials: authCredentials });
    if (outcome.kind === "ok") {
      this.forget();
      this.#adopt(outcome.body);
    }
    return outcome;
  }

  async #rotate(key) {
    return this.#asHolder("/refresh", { "Idempotency-Key": key });
  }

  /** @param {Outcome[]} outcomes */
  #settle(outcomes) {
    const good = outcomes.find((outcome) => outcome.kind === "ok");
    if (good) this.#adopt(good.body);
    else if (outcomes.some(isUnauthenticated)) this.forget();
  }

  #adopt(answer) {
    if (this.#refresh && answer.refresh_token && answer.refresh_token !== this.#refresh) {
      this.previous = { token: this.#refresh, replacedAtMs: performance.now() };
    }
    this.#access = answer.access_token ?? null;
    this.#refresh = answer.refresh_token ?? null;
    this.#csrf = answer.csrf_token ?? this.#csrf;
    this.user = answer.user;
    this.sessionId = answer.session.id;
    this.#lasts(answer.expires_in);
  }

  #lasts(seconds) {
    this.deadlineMs = performance.now() + seconds * 1000;
    this.lifetimeMs = Math.max(seconds, this.#accessTtlSeconds) * 1000;
  }

  /** A request made with the access token: in the header if script holds it, else in the cookie the browser adds. */
  async #asCaller(method, url, json) {
    const { prefix, authCredentials, appCredentials } = this.delivery;
    const credentials = url.startsWith(prefix) ? authCredentials : appCredentials;
    let headers = {};
    if (this.#access) headers = { Authorization: `Bearer ${this.#access}` };
    else if (method !== "GET" && credentials !== "omit") headers = await this.#csrfHeader();
    return this.#ended(await send(method, url, { json, headers, credentials }));
  }

  /** A request made with the refresh token: in the body if script holds it, else in the cookie the browser adds. */
  async #asHolder(path, headers = {}) {
    const { prefix, authCredentials } = this.delivery;
    const json = this.#refresh ? { refresh_token: this.#refresh } : {};
    const all = { ...headers, ...(await this.#csrfHeader()) };
    return this.#ended(await send("POST", prefix + path, { json, headers: all, credentials: authCredentials }));
  }

  /** @param {Outcome} outcome */
  #ended(outcome) {
    if (isOver(outcome)) this.forget();
    return outcome;
  }

  async #csrfHeader() {
    const csrf = await this.#csrfToken();
    return csrf ? { "X-CSRF-Token": csrf } : {};
  }

  /**
   * The readable cookie comes first: tabs share it, so it belongs to the session whose cookie will travel. A page
   * that cannot read it asks the server for another value; every value of a session stays good.
   */
  async #csrfToken() {
    const { csrfCookie, prefix, authCredentials } = this.delivery;
    if (!csrfCookie) return null;
    this.#csrf = readCookie(csrfCookie) ?? this.#csrf;
    if (!this.#csrf) {
      const outcome = await send("GET", `${prefix}/csrf`, { credentials: authCredentials });
      if (outcome.kind === "ok") this.#csrf = outcome.body.csrf_token;
    }
    return this.#csrf;
  }
}

/** @param {string} name */
function readCookie(name) {
  const start = `${name}=`;
  const found = document.cookie.split(/;\s*/).find((pair) => pair.startsWith(start));
  return found ? found.slice(start.length) : null;
}

/** @param {string | null} token */
function shortened(token) {
  return token ? `${token.slice(0, 9)}…${token.slice(-5)}` : null;
}
