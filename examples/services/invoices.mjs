// `invoices`: a service in Node that trusts the tokens of an auth server elsewhere. It shares no secret with it that
// could sign, and asks it about no request but those for money.

import { createHash, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { jwtVerify } from "jose";
import { Issuer } from "./issuer.mjs";
import { Revocations } from "./revocations.mjs";

const { env } = process;
const ISSUER = env.ISSUER ?? "http://localhost:8080";
const OWN_ORIGIN = new URL(env.PUBLIC_URL ?? "http://localhost:4001").origin;
/** Whose pages may read our answers, and act with the user's cookie. Exact: no wildcard. */
const TRUSTED_ORIGINS = [OWN_ORIGIN, ...(env.TRUSTED_ORIGINS ?? "http://localhost:4000").split(",")];
const COOKIE = ISSUER.startsWith("https:") ? "__Secure-hp_access" : "hp_access";
/** Why a token could not be verified, where that is no fault of the token. */
const NO_KEYS = [undefined, "ERR_JOSE_GENERIC", "ERR_JWKS_INVALID", "ERR_JWKS_TIMEOUT"];

/** What a token must be (RFC 9068 §4), beside signed by a key of the issuer and not expired. */
const EXPECTED = {
  issuer: ISSUER,
  audience: ISSUER,
  typ: "at+jwt",
  algorithms: ["EdDSA", "ES256", "RS256", "PS256"],
  requiredClaims: ["sub", "sid", "jti", "iat", "exp"],
  clockTolerance: 10,
};
class Refusal extends Error {
  constructor(status, code) {
    super(code);
    this.status = status;
  }
}
const unavailable = () => Promise.reject(new Refusal(503, "unavailable"));

const issuer = new Issuer(ISSUER, "invoices", env.INVOICES_SECRET);
const revocations = new Revocations(issuer);
revocations.listen();

/** Returns the one credential that counts: the first that is there, also if it turns out to be bad. */
function credential({ authorization = "", cookie = "" }) {
  if (/^bearer\b/i.test(authorization)) return { token: authorization.slice("bearer".length).trim(), by: "bearer" };
  const values = cookie.split(/; */).filter((pair) => pair.startsWith(`${COOKIE}=`));
  if (values.length === 0) throw new Refusal(401, "not_authenticated");
  // Every host of the domain can set a cookie of this name, and nobody can tell which is the honest one.
  if (values.length > 1) throw new Refusal(401, "token_malformed");
  return { token: values[0].slice(COOKIE.length + 1), by: "cookie" };
}

/** Returns the claims of a good token, and whatever else the request owes is paid. */
async function admit({ method, headers }) {
  const { token, by } = credential(headers);
  const { keys } = await issuer.known().catch(unavailable);
  const { payload, protectedHeader } = await jwtVerify(token, keys, EXPECTED).catch((fault) => {
    // Without keys nobody can tell who is calling: that is no reason to sign anybody out.
    if (NO_KEYS.includes(fault.code)) return unavailable();
    throw new Refusal(401, fault.code === "ERR_JWT_EXPIRED" ? "token_expired" : "token_invalid");
  });
  const refusal = revocations.refusal(protectedHeader, payload);
  if (refusal) throw new Refusal(401, refusal);
  if (by === "cookie" && !["GET", "HEAD"].includes(method)) {
    if (!isFromAPageOfOurs(headers)) throw new Refusal(403, "origin_denied");
    if (!isCsrfToken(headers["x-csrf-token"], payload.csh)) throw new Refusal(403, "csrf_invalid");
  }
  return { token, user: payload.sub, by };
}

function isFromAPageOfOurs({ origin, "sec-fetch-site": site }) {
  return site === "same-origin" || site === "none" || TRUSTED_ORIGINS.includes(origin);
}

/** A mask and the masked secret of the session; the token has the secret's hash. */
function isCsrfToken(text = "", csh = "") {
  const [wire, hash] = [Buffer.from(text, "base64url"), Buffer.from(csh, "base64url")];
  if (wire.length !== 64 || hash.length !== 32) return false;
  const secret = wire.subarray(0, 32).map((byte, at) => byte ^ wire[32 + at]);
  return timingSafeEqual(createHash("sha256").update(secret).digest(), hash);
}

const invoices = new Map();
const of = (user) => invoices.get(user) ?? [];
const ROUTES = {
  "GET /invoices": async ({ user, by }) => ({ by, invoices: of(user) }),
  "POST /invoices": async ({ user, by }) => {
    invoices.set(user, [...of(user), `invoice ${of(user).length + 1}`]);
    return { by, invoices: of(user) };
  },
  // Money: nobody settles anything with the token of a session that ended a moment ago.
  "POST /settle": async ({ token, user, by }) => {
    if (!(await issuer.isActive(token).catch(unavailable))) throw new Refusal(401, "session_ended");
    return { by, settled: of(user).length };
  },
};

function allowOrigin({ origin }, response) {
  response.setHeader("Vary", "Origin");
  if (!TRUSTED_ORIGINS.includes(origin)) return;
  response.setHeader("Access-Control-Allow-Origin", origin);
  response.setHeader("Access-Control-Allow-Credentials", "true");
  response.setHeader("Access-Control-Allow-Headers", "authorization, content-type, x-csrf-token");
}

async function answer(request, response) {
  allowOrigin(request.headers, response);
  if (request.method === "OPTIONS") return response.writeHead(204).end();
  const route = ROUTES[`${request.method} ${request.url.split("?")[0]}`];
  const [status, body] = await (async () => {
    if (!route) throw new Refusal(404, "not_found");
    return [200, await route(await admit(request))];
  })().catch((fault) => {
    if (!(fault instanceof Refusal)) console.error(fault);
    const { status = 500, message } = fault instanceof Refusal ? fault : { message: "internal" };
    return [status, { status, code: message }];
  });
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
  response.end(JSON.stringify(body));
}

const [, host, port] = (env.LISTEN ?? "127.0.0.1:4001").match(/^(.*):(\d+)$/);
createServer(answer).listen(port, host);
