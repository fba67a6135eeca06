// The issuer, as a service knows it: where it answers, its keys, and what it says about one token.

import { createRemoteJWKSet } from "jose";

/** How often the keys are fetched: `keys.jwks_max_age` of the issuer. */
const KEYS_EVERY_MS = 10_000;
/** How long they do while the issuer is out of reach. One that was revoked is refused as soon as the stream says so. */
const KEYS_STALE_MAX_MS = 24 * 3_600_000;

export class Issuer {
  #asked;

  /** @param {string} url As its tokens name it. */
  constructor(url, service, secret) {
    this.url = url;
    // RFC 6749 §2.3.1
    const pair = [service, secret].map(encodeURIComponent).join(":");
    this.authorization = `Basic ${Buffer.from(pair).toString("base64")}`;
    setInterval(() => this.fetchKeys(), KEYS_EVERY_MS).unref();
  }

  /** Returns its metadata and its keys. It is asked until it has answered once. */
  known() {
    this.#asked ??= this.#discover().catch((fault) => {
      this.#asked = undefined;
      throw fault;
    });
    return this.#asked;
  }

  async #discover() {
    const { origin, pathname } = new URL(this.url);
    const path = `/.well-known/oauth-authorization-server${pathname.replace(/\/$/, "")}`;
    const answer = await fetch(origin + path, { redirect: "error", signal: AbortSignal.timeout(5_000) });
    const metadata = answer.ok ? await answer.json() : {};
    // RFC 8414 §3.3: or one issuer could pass its keys off as those of another.
    if (metadata.issuer !== this.url) throw new Error(`${this.url} does not say that it is the issuer`);
    const pace = { cooldownDuration: KEYS_EVERY_MS, cacheMaxAge: KEYS_STALE_MAX_MS };
    return { metadata, keys: createRemoteJWKSet(new URL(metadata.jwks_uri), pace) };
  }

  /** Fetches the keys anew; those that are known stay in force if that fails. */
  async fetchKeys() {
    await this.known().then(({ keys }) => keys.reload()).catch((fault) => console.error(`keys: ${fault.message}`));
  }

  /** Tells whether a token is good now (RFC 7662). */
  async isActive(token) {
    const { metadata } = await this.known();
    const answer = await fetch(metadata.introspection_endpoint, {
      method: "POST",
      headers: { Authorization: this.authorization },
      body: new URLSearchParams({ token }),
      redirect: "error",
      signal: AbortSignal.timeout(2_000),
    });
    if (!answer.ok) throw new Error(`introspection was answered ${answer.status}`);
    return (await answer.json()).active;
  }

  /** Opens the stream of what was revoked. */
  async revocations(cursor, signal) {
    const { metadata } = await this.known();
    const headers = { Authorization: this.authorization, Accept: "text/event-stream", "Last-Event-ID": cursor };
    return fetch(metadata.hallpass_revocations_endpoint, { headers, redirect: "error", signal });
  }
}
