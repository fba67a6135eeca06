// One pass on the page: where its tokens are, how long its access token lives, and what every call was answered.

import { PASSES, custodyRow, piece } from "./passes.js";
import { isOver, isUnauthenticated } from "./wire.js";

/** @typedef {import("./wire.js").Outcome} Outcome */
/** @typedef {import("./client.js").Client} Client */

const LOG_LENGTH_MAX = 6;

export class Panel {
  #busy = false;
  #expiryTold = false;

  /**
   * @param {"cookie" | "split" | "bearer"} kind
   * @param {Client} client
   * @param {{credentials: () => {email: string, password: string} | null, graceSeconds: () => number,
   *          changed: () => void, refused: (outcome: Outcome) => void}} page
   */
  constructor(kind, client, page) {
    this.kind = kind;
    this.title = PASSES[kind].title;
    this.client = client;
    this.page = page;
    this.root = this.#build();
    this.#listen();
    this.render();
  }

  /** @param {{email: string, password: string}} credentials */
  async signIn(credentials) {
    const outcome = await this.#run(() => this.client.login(credentials));
    if (outcome) this.#tell("POST", "login", outcome, "Signed in");
    if (outcome && outcome.kind !== "ok") this.page.refused(outcome);
    return outcome;
  }

  /** @param {{email: string, password: string, name?: string}} fields */
  async signUp(fields) {
    const outcome = await this.#run(() => this.client.signup(fields));
    if (outcome) this.#tell("POST", "signup", outcome, "Account made, signed in");
    return outcome;
  }

  /** @param {number} accessTtlSeconds */
  async restore(accessTtlSeconds) {
    const outcome = await this.#run(() => this.client.restore(accessTtlSeconds));
    if (!outcome) return;
    const way = this.kind === "split" ? "by one refresh" : "from its cookies";
    if (outcome.kind === "ok") this.#show("ok", outcome.status, "", `Restored ${way} after a reload.`);
    else if (outcome.kind !== "rejected") this.#tell("GET", "restore", outcome, "");
  }

  render() {
    const { client } = this;
    const held = client.held();
    this.root.dataset.state = client.signedIn ? "in" : "out";
    this.#part("state").textContent = client.signedIn ? client.user?.email ?? "Signed in" : "Signed out";
    this.#part("session").textContent = client.sessionId ? short(client.sessionId) : "none";
    this.#part("session").title = client.sessionId ?? "";
    for (const [token, , place] of PASSES[this.kind].custody) {
      const cell = this.#part(`${token}-value`);
      cell.textContent = client.signedIn ? tokenText(place, held[token]) : place === "none" ? "—" : "empty";
      cell.className = `token token-${client.signedIn ? place : "empty"}`;
    }
    this.#part("signin").hidden = client.signedIn;
    this.#part("signout").hidden = !client.signedIn;
    for (const name of ["refresh", "race"]) this.#part(name).disabled = !client.signedIn;
    this.tick();
  }

  /** Moves the count-downs on; called a few times a second. */
  tick() {
    const { client } = this;
    const leftMs = client.signedIn ? Math.max(0, client.deadlineMs - performance.now()) : 0;
    const bar = this.#part("bar");
    bar.max = client.lifetimeMs || 1;
    bar.value = leftMs;
    this.#part("countdown").textContent = !client.signedIn ? "—" : leftMs > 0 ? clock(leftMs) : "expired";
    this.root.dataset.expired = String(client.signedIn && leftMs === 0);
    if (client.signedIn && leftMs === 0 && !this.#expiryTold) {
      this.#show("transient", "expired", "", "The access token’s time is over. Refresh brings a new one.");
    }
    this.#expiryTold = client.signedIn && leftMs === 0;
    this.#tickLoot();
  }

  #tickLoot() {
    if (this.kind !== "bearer") return;
    const { previous, signedIn } = this.client;
    const ready = signedIn && previous !== null;
    this.#part("loot").disabled = !ready;
    if (!ready) {
      this.#part("loot-text").hidden = true;
      this.#part("loot-age").textContent = "Refresh once: then there is a used token to steal.";
      return;
    }
    const leftMs = previous.replacedAtMs + this.page.graceSeconds() * 1000 - performance.now();
    this.#part("loot-age").textContent =
      leftMs > 0
        ? `Used. Grace for a lost answer ends in ${Math.ceil(leftMs / 1000)} s.`
        : "Used, and its grace period is over: whoever presents it again raises the alarm.";
  }

  #build() {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("pass"));
    const root = /** @type {HTMLElement} */ (template.content.firstElementChild.cloneNode(true));
    const pass = PASSES[this.kind];
    root.dataset.kind = this.kind;
    root.dataset.testid = `${this.kind}-panel`;
    root.setAttribute("aria-labelledby", `${this.kind}-title`);
    root.querySelector("h3").id = `${this.kind}-title`;
    if (this.kind !== "bearer") for (const part of root.querySelectorAll("[data-only=bearer]")) part.remove();
    for (const name of ["title", "purpose", "reload", "loot-words"]) {
      root.querySelector(`[data-part=${name}]`).textContent = pass[name];
    }
    root.querySelector("[data-part=custody]").append(...pass.custody.map(custodyRow));
    root.querySelector("[data-part=bar]").setAttribute("aria-label", `${pass.title}: life left in the access token`);
    /** @type {NodeListOf<HTMLElement>} */
    const parts = root.querySelectorAll("[data-part]");
    for (const part of parts) part.dataset.testid = `${this.kind}-${part.dataset.part}`;
    return root;
  }

  #listen() {
    const { client } = this;
    this.#on("signin", () => {
      const credentials = this.page.credentials();
      if (credentials) this.signIn(credentials);
    });
    this.#on("get", () => this.#step("GET", "whoami", () => client.whoami(), locationOf));
    this.#on("post", () => this.#step("POST", "note", () => client.note(), () => "The note was written"));
    this.#on("refresh", () => this.#step("POST", "refresh", () => client.refresh(), () => "A new pair of tokens"));
    this.#on("race", () => this.#race());
    this.#on("signout", () => this.#step("POST", "logout", () => client.logout(), () => "Signed out on the server"));
    if (this.kind === "bearer") this.#on("loot", () => this.#copyLoot());
  }

  async #step(method, name, call, words) {
    const outcome = await this.#run(call);
    if (outcome) this.#tell(method, name, outcome, outcome.kind === "ok" ? words(outcome.body) : "");
  }

  async #race() {
    const before = this.client.sessionId;
    const outcomes = await this.#run(() => this.client.refreshTwice());
    if (!outcomes) return;
    const good = outcomes.filter((outcome) => outcome.kind === "ok").map((outcome) => outcome.body);
    const one = good.length === 2 && good.every((body) => body.session.id === before);
    const same = this.kind === "bearer" && one && good[0].refresh_token === good[1].refresh_token;
    const statuses = outcomes.map((outcome) => outcome.status || "no answer").join(" and ");
    const words = one
      ? `${statuses}: still one session, ${short(before)}${same ? ", and both got the same successor" : ""}.`
      : `${statuses}: ${outcomes.map((outcome) => codeOf(outcome) || "ok").join(" and ")}.`;
    const worst = outcomes.find((outcome) => outcome.kind !== "ok");
    this.#show(worst?.kind ?? "ok", outcomes.map((outcome) => outcome.status || "–").join(" + "), "", words);
    this.#log("POST", "refresh ×2", statuses, "");
  }

  async #copyLoot() {
    const { previous } = this.client;
    if (!previous) return;
    const text = /** @type {HTMLInputElement} */ (this.#part("loot-text"));
    text.hidden = false;
    text.value = previous.token;
    text.select();
    let words = "Take it to the attacker’s page and replay it.";
    try {
      await navigator.clipboard.writeText(previous.token);
    } catch {
      text.focus();
      words = "Selected below: copy it by hand, then replay it on the attacker’s page.";
    }
    this.#show("note", "copied", "", words);
  }

  /** Runs one call at a time: a second press while one is under way does nothing. */
  async #run(call) {
    if (this.#busy) return null;
    this.#busy = true;
    this.root.setAttribute("aria-busy", "true");
    const focused = document.activeElement;
    try {
      return await call();
    } finally {
      this.#busy = false;
      this.root.removeAttribute("aria-busy");
      this.render();
      this.#keepFocus(focused);
      this.page.changed();
    }
  }

  /** A button that hid or went grey while it had the focus hands it to the one that took its place. */
  #keepFocus(focused) {
    if (!this.root.contains(focused) || (!focused.hidden && !focused.disabled)) return;
    this.#part(this.client.signedIn ? "signout" : "signin").focus();
  }

  /** @param {Outcome} outcome */
  #tell(method, name, outcome, words) {
    const [status, code] = outcome.kind === "offline" ? ["no answer", ""] : [outcome.status, codeOf(outcome)];
    this.#show(outcome.kind, status, code, outcome.kind === "ok" ? `${words}.` : failure(outcome, this.client.signedIn));
    this.#log(method, name, status, code);
  }

  #show(kind, status, code, words) {
    const line = this.#part("outcome");
    line.dataset.kind = kind;
    this.#part("status").textContent = status;
    this.#part("code").textContent = code;
    this.#part("words").textContent = words;
  }

  #log(method, name, status, code) {
    const entry = document.createElement("li");
    const time = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    entry.append(piece("time", time), piece("span", `${method} ${name}`), piece("span", `${status} ${code}`.trim()));
    const log = this.#part("log");
    log.prepend(entry);
    while (log.children.length > LOG_LENGTH_MAX) log.lastElementChild.remove();
  }

  #on(name, run) {
    this.#part(name).addEventListener("click", run);
  }

  /** @returns {any} */
  #part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }
}

/** @param {Outcome} outcome */
function codeOf(outcome) {
  return outcome.kind === "ok" ? "" : outcome.code;
}

/**
 * @param {Exclude<Outcome, import("./wire.js").Ok>} outcome
 * @param {boolean} signedIn
 */
function failure(outcome, signedIn) {
  if (outcome.kind === "offline") return `${outcome.title}. Nobody was signed out by that.`;
  if (isOver(outcome)) return `${outcome.title}. This pass is over; sign in again.`;
  if (isUnauthenticated(outcome) && signedIn) return `${outcome.title}. The session goes on: refresh it.`;
  if (outcome.kind === "rejected") return `${outcome.title}.`;
  const wait = outcome.retryAfterSeconds === null ? "" : ` Try again in ${outcome.retryAfterSeconds} s.`;
  return `${outcome.title}.${wait}`;
}

function locationOf(body) {
  return `The app read your pass from the ${body.location}`;
}

function tokenText(place, text) {
  if (place === "none") return "—";
  if (place === "sealed") return "out of script’s reach";
  return text ?? "empty";
}

function clock(leftMs) {
  const seconds = Math.ceil(leftMs / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** The start of a session id: enough to tell one session from another by eye. */
function short(id) {
  return id.slice(0, 8);
}
