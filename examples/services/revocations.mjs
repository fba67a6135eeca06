// What the issuer has revoked, as it happens: its event stream, read and remembered.

/** The issuer sends a sign of life every 5 s. A connection that is silent for longer is dead, whatever TCP says. */
const SILENCE_MAX_MS = 12_000;
const PAUSE_MS = 1_000;

export class Revocations {
  #keptSeconds = Infinity;
  #cursor = "";
  /** Sessions, tokens and keys, each until when, in seconds. (Users, `u`, matter for tokens without a session.) */
  #refused = { s: new Map(), t: new Map(), k: new Map() };

  /** @param {import("./issuer.mjs").Issuer} issuer */
  constructor(issuer) {
    this.issuer = issuer;
    setInterval(() => this.#forget(Date.now() / 1000), 60_000).unref();
  }

  /** Returns why a token that is otherwise good is refused, if it is. */
  refusal({ kid }, { sid, jti }) {
    const { s, t, k } = this.#refused;
    // Its client refreshes, and has a token of another key: nobody is signed out because a key leaked.
    if (k.has(kid)) return "token_expired";
    return s.has(sid) || t.has(jti) ? "session_ended" : undefined;
  }

  /** Listens for good, and goes on where it was when the connection broke. */
  async listen() {
    for (;; await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))) {
      const dead = new AbortController();
      const alive = setTimeout(() => dead.abort(), SILENCE_MAX_MS);
      try {
        const { ok, status, body } = await this.issuer.revocations(this.#cursor, dead.signal);
        if (!ok) throw new Error(`the stream was answered ${status}`);
        let rest = "";
        for await (const text of body.pipeThrough(new TextDecoderStream())) {
          alive.refresh();
          const events = (rest + text).split("\n\n");
          rest = events.pop();
          events.forEach((event) => this.#take(event));
        }
      } catch (fault) {
        console.error(`revocations: ${fault.message}`);
      }
      clearTimeout(alive);
    }
  }

  #take(event) {
    const field = (name) => event.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    if (field("event") === "hello") this.#keptSeconds = JSON.parse(field("data")).kept_seconds;
    for (const [kind, name, at] of field("event") === "revoked" ? JSON.parse(field("data")) : []) {
      this.#refused[kind]?.set(name, kind === "k" ? Infinity : at + this.#keptSeconds);
      if (kind === "k") this.issuer.fetchKeys();
    }
    // Last: what was lost on the way here is told again.
    this.#cursor = field("id") ?? this.#cursor;
  }

  #forget(now) {
    for (const names of Object.values(this.#refused)) {
      for (const [name, until] of names) if (until < now) names.delete(name);
    }
  }
}
