// One request, one typed outcome. Nothing here knows a route or touches the page.

/**
 * What became of a request. Only `rejected` is a decision about the caller; the other failures say nothing about
 * the session, so they never sign anyone out.
 *
 * @typedef {{kind: "ok", status: number, body: any}} Ok
 * @typedef {{field: string, code: string, message: string}} FieldError
 * @typedef {{kind: "rejected", status: number, code: string, title: string, errors: FieldError[]}} Rejected
 * @typedef {{kind: "transient", status: number, code: string, title: string, retryAfterSeconds: number | null}} Transient
 * @typedef {{kind: "offline", code: string, title: string}} Offline
 * @typedef {Ok | Rejected | Transient | Offline} Outcome
 */

const ANSWER_TIMEOUT_MS = 15_000;

/**
 * Sends one request. A lost answer is an outcome, not an exception.
 * @param {string} method
 * @param {string} url
 * @param {{json?: object, headers?: Record<string, string>, credentials?: RequestCredentials}} options
 * @returns {Promise<Outcome>}
 */
export async function send(method, url, { json, headers = {}, credentials = "omit" } = {}) {
  const sent = { Accept: "application/json, application/problem+json", ...headers };
  if (json) sent["Content-Type"] = "application/json";
  try {
    const response = await fetch(url, {
      method,
      credentials,
      headers: sent,
      body: json && JSON.stringify(json),
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    return outcomeOf(response, parsed(await response.text()));
  } catch {
    return { kind: "offline", code: "no_answer", title: "The server could not be reached" };
  }
}

/**
 * Tells whether the session itself is over, not only its access token.
 * @param {Outcome} outcome
 */
export function isOver(outcome) {
  return outcome.kind === "rejected" && ["session_ended", "refresh_reused"].includes(outcome.code);
}

/**
 * Tells whether the request's own credential was missing or refused.
 * @param {Outcome} outcome
 */
export function isUnauthenticated(outcome) {
  return outcome.kind === "rejected" && outcome.status === 401;
}

/** @returns {Outcome} */
function outcomeOf(response, body) {
  const { status } = response;
  if (response.ok && (body || status === 204)) return { kind: "ok", status, body };
  const code = typeof body?.code === "string" ? body.code : "unexpected_answer";
  const title = typeof body?.title === "string" ? body.title : "The answer was not understood";
  if (status === 429 || status >= 500 || response.ok) {
    const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
    return { kind: "transient", status, code, title, retryAfterSeconds: Number.isNaN(seconds) ? null : seconds };
  }
  return { kind: "rejected", status, code, title, errors: Array.isArray(body?.errors) ? body.errors : [] };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
