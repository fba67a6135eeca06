// The page: one card to sign in with, three passes to sign in to, and the list of sessions behind them.

import { Client, DELIVERIES, demoConfig } from "./client.js";
import { Panel } from "./panel.js";
import { Sessions } from "./sessions.js";

const TICK_MS = 250;

const form = /** @type {HTMLFormElement} */ (document.getElementById("account"));
const field = (name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
const accountStatus = document.getElementById("account-status");
let graceSeconds = 10;

const page = {
  credentials: () => (form.reportValidity() ? { email: field("email").value, password: field("password").value } : null),
  graceSeconds: () => graceSeconds,
  changed: () => sessions.load(),
  refused: (outcome) => showRefusal(outcome),
};
const panels = Object.entries(DELIVERIES).map(
  ([kind, delivery]) => new Panel(/** @type {any} */ (kind), new Client(delivery), page),
);
document.getElementById("passes").append(...panels.map((panel) => panel.root));
const sessions = new Sessions(document.getElementById("sessions"), panels);

form.addEventListener("change", showMode);
form.addEventListener("input", clearRefusal);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  clearRefusal();
  const [cookie] = panels;
  if (!signingUp()) return void cookie.signIn(page.credentials());
  const { email, password } = page.credentials();
  const name = field("name").value.trim();
  const outcome = await cookie.signUp(name ? { email, password, name } : { email, password });
  if (outcome?.kind === "ok") field("mode").value = "signin";
  else if (outcome) showRefusal(outcome);
  showMode();
});
document.getElementById("sign-in-all").addEventListener("click", async () => {
  const credentials = page.credentials();
  if (!credentials) return;
  clearRefusal();
  for (const panel of panels) {
    const outcome = await panel.signIn(credentials);
    if (outcome?.kind !== "ok") break;
  }
});

showMode();
setInterval(() => panels.forEach((panel) => panel.tick()), TICK_MS);
await start();

async function start() {
  const outcome = await demoConfig();
  const config = outcome.kind === "ok" ? outcome.body : null;
  if (config) useConfig(config);
  for (const panel of panels) await panel.restore(config?.access_ttl_seconds ?? 0);
  document.documentElement.dataset.ready = "true";
}

function useConfig(config) {
  graceSeconds = config.grace_seconds;
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const links = document.querySelectorAll("[data-attack-link]");
  for (const link of links) link.href = `${config.attack_origin}/`;
  const sample = /** @type {HTMLButtonElement} */ (document.getElementById("sample"));
  sample.disabled = false;
  sample.addEventListener("click", () => {
    field("mode").value = "signin";
    field("email").value = config.sample_user.email;
    field("password").value = config.sample_user.password;
    showMode();
    clearRefusal();
  });
}

function signingUp() {
  return field("mode").value === "signup";
}

function showMode() {
  const up = signingUp();
  document.getElementById("name-row").hidden = !up;
  document.getElementById("password-hint").hidden = !up;
  document.getElementById("sign-in-all").hidden = up;
  document.getElementById("submit").classList.toggle("alone", up);
  document.getElementById("submit").textContent = up ? "Create account" : "Sign in";
  field("password").autocomplete = up ? "new-password" : "current-password";
}

/** Shows a refusal where the visitor typed: the fields that a 422 names, and a sentence for everything else. */
function showRefusal(outcome) {
  const errors = outcome.errors ?? [];
  for (const error of errors) {
    const line = document.getElementById(`${error.field}-error`);
    if (!line) continue;
    line.textContent = sentence(error.message);
    field(error.field).setAttribute("aria-invalid", "true");
  }
  const status = outcome.status ? `${outcome.status} ` : "";
  accountStatus.textContent = `${outcome.title}. (${status}${outcome.code})`;
  if (errors.length > 0) field(errors[0].field)?.focus();
}

/** The server's sentences start small, as they are made to stand inside others. */
function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function clearRefusal() {
  accountStatus.textContent = "";
  for (const name of ["email", "password", "name"]) {
    document.getElementById(`${name}-error`).textContent = "";
    field(name).removeAttribute("aria-invalid");
  }
}
