// The list of one user's sessions, seen through one of the passes.

/** @typedef {import("./panel.js").Panel} Panel */

export class Sessions {
  #round = 0;
  #loadFailed = false;

  /**
   * @param {HTMLElement} root
   * @param {Panel[]} panels
   */
  constructor(root, panels) {
    this.root = root;
    this.panels = panels;
    this.via = /** @type {HTMLSelectElement} */ (root.querySelector("#sessions-via"));
    this.list = root.querySelector("#sessions-list");
    this.status = /** @type {HTMLElement} */ (root.querySelector("#sessions-status"));
    this.via.addEventListener("change", () => this.load());
    root.querySelector("#sessions-reload").addEventListener("click", () => this.load());
    root.querySelector("#sessions-end-others").addEventListener("click", () => this.#endOthers());
    this.load();
  }

  /** Reads the list again. Only the newest answer counts. */
  async load() {
    const round = ++this.#round;
    const panel = this.#choose();
    this.root.dataset.state = panel ? "in" : "out";
    if (!panel) return this.list.replaceChildren();
    const outcome = await panel.client.sessions();
    if (round !== this.#round) return;
    if (outcome.kind === "ok") {
      const rows = outcome.body.sessions.map((session) => this.#row(session));
      this.list.replaceChildren(...rows);
      if (this.#loadFailed) this.status.textContent = "";
      this.#loadFailed = false;
    } else {
      this.#tell(outcome);
      this.#loadFailed = true;
      if (!panel.client.signedIn) this.#after(panel);
    }
  }

  /** Offers the passes that are signed in, and keeps the visitor's choice while it is one of them. */
  #choose() {
    const open = this.panels.filter((panel) => panel.client.signedIn);
    const wanted = this.via.value;
    this.via.replaceChildren(...open.map((panel) => new Option(panel.title, panel.kind)));
    const chosen = open.find((panel) => panel.kind === wanted) ?? open[0];
    if (chosen) this.via.value = chosen.kind;
    return chosen;
  }

  async #endOne(session) {
    const panel = this.#choose();
    if (!panel) return;
    const outcome = await panel.client.endSession(session.id);
    this.status.focus();
    this.#tell(outcome, "Session ended. Its holder is refused from the next request on.");
    if (session.current && outcome.kind === "ok") panel.client.forget();
    this.#after(panel);
  }

  async #endOthers() {
    const panel = this.#choose();
    if (!panel) return;
    const outcome = await panel.client.endOtherSessions();
    const ended = outcome.kind === "ok" ? outcome.body.ended : 0;
    this.#tell(outcome, ended === 1 ? "1 other session ended." : `${ended} other sessions ended.`);
    this.#after(panel);
  }

  #after(panel) {
    panel.render();
    this.load();
  }

  #tell(outcome, words = "") {
    const failed = outcome.kind !== "ok";
    this.status.dataset.kind = outcome.kind;
    this.status.textContent = failed ? `${outcome.title}. (${outcome.status ?? "no answer"} ${outcome.code})` : words;
  }

  #row(session) {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("session-row"));
    const row = /** @type {HTMLElement} */ (template.content.firstElementChild.cloneNode(true));
    const holder = this.panels.find((panel) => panel.client.sessionId === session.id);
    /** @returns {HTMLElement} */
    const part = (name) => row.querySelector(`[data-part="${name}"]`);
    row.dataset.session = session.id;
    part("device").textContent = deviceName(session.user_agent);
    part("device").title = session.user_agent ?? "";
    part("id").textContent = `${session.id.slice(0, 8)}…`;
    part("holder").textContent = holder ? `${holder.title} pass` : "no pass here";
    part("current").hidden = !session.current;
    part("created").append(moment(session.created_at));
    part("used").append(moment(session.last_used_at));
    part("end").setAttribute("aria-label", `End the session ${session.id.slice(0, 8)} on ${deviceName(session.user_agent)}`);
    part("end").addEventListener("click", () => this.#endOne(session));
    return row;
  }
}

function moment(text) {
  const time = document.createElement("time");
  time.dateTime = text;
  time.textContent = new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return time;
}

const BROWSERS = [["Edg/", "Edge"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"], ["curl/", "curl"]];
const SYSTEMS = [["Android", "Android"], ["iPhone", "iPhone"], ["Windows", "Windows"], ["Mac OS", "macOS"], ["Linux", "Linux"]];

/** A user agent is the client's own claim: good enough to recognise one's devices by, and for nothing else. */
function deviceName(userAgent) {
  const match = (list) => list.find(([sign]) => userAgent?.includes(sign))?.[1];
  const browser = match(BROWSERS);
  const system = match(SYSTEMS);
  return browser && system ? `${browser} on ${system}` : (browser ?? system ?? "Unknown device");
}
