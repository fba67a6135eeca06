// npm's `jose` verifies our tokens: all that it is told is the URL of the issuer.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { startProgram } from "../browser/support/program.js";
import { refreshed, signedUp, until } from "./support.js";

const ALGORITHMS = ["EdDSA", "ES256", "RS256", "PS256"];
/** For how long a verifier may keep the key set. A key is announced for twice as long before it signs. */
const MAX_AGE_MS = 1_000;
const SHORT = { HALLPASS_KEYS_JWKS_MAX_AGE: "1s", HALLPASS_KEYS_ANNOUNCE: "2s" };

for (const algorithm of ALGORITHMS) {
  describe(`jose and ${algorithm}`, () => {
    let program, issuer, jwksUri, keys, session, token;

    before(async () => {
      program = await startProgram("serve", { ...SHORT, HALLPASS_TOKENS_ALGORITHM: algorithm });
      issuer = program.origin;
      const metadata = await read(`${issuer}/.well-known/oauth-authorization-server`);
      assert.equal(metadata.issuer, issuer);
      jwksUri = metadata.jwks_uri;
      keys = createRemoteJWKSet(new URL(jwksUri), { cacheMaxAge: MAX_AGE_MS });
      session = await signedUp(issuer);
      token = session.access_token;
    });
    after(() => program?.stop());

    const verify = (token, changes = {}) =>
      jwtVerify(token, keys, { issuer, audience: issuer, typ: "at+jwt", algorithms: [algorithm], ...changes });
    const kid = (token) => decodeProtectedHeader(token).kid;
    const published = async () => (await read(jwksUri)).keys.map((key) => key.kid);

    test("a token verifies from the URL of its issuer alone", async () => {
      const { payload, protectedHeader } = await verify(token);
      assert.deepEqual(protectedHeader, { alg: algorithm, kid: kid(token), typ: "at+jwt" });
      assert.equal(payload.sub, session.user.id);
      assert.equal(payload.sid, session.session.id);
      for (const name of ["jti", "iat", "exp", "auth_time", "amr"]) assert.ok(name in payload, name);
    });

    test("a token for somebody else, of somebody else or of another kind is refused", async () => {
      const elsewhere = "https://elsewhere.example.test";
      for (const [changes, code] of [
        [{ audience: elsewhere }, "ERR_JWT_CLAIM_VALIDATION_FAILED"],
        [{ issuer: elsewhere }, "ERR_JWT_CLAIM_VALIDATION_FAILED"],
        [{ issuer: `${issuer}/` }, "ERR_JWT_CLAIM_VALIDATION_FAILED"],
        [{ typ: "JWT" }, "ERR_JWT_CLAIM_VALIDATION_FAILED"],
        [{ algorithms: ["HS256"] }, "ERR_JOSE_ALG_NOT_ALLOWED"],
        [{ currentDate: new Date((decodeJwt(token).exp + 1) * 1_000) }, "ERR_JWT_EXPIRED"],
      ]) {
        await assert.rejects(verify(token, changes), { code }, JSON.stringify(changes));
      }
    });

    test("a token that was changed is refused", async () => {
      const [header, payload, signature] = token.split(".");
      const admin = encoded({ ...decodeJwt(token), roles: ["admin"] });
      const other = signature.startsWith("A") ? "B" : "A";
      const unsigned = encoded({ ...decodeProtectedHeader(token), alg: "none" });
      const code = "ERR_JWS_SIGNATURE_VERIFICATION_FAILED";
      await assert.rejects(verify([header, admin, signature].join(".")), { code });
      await assert.rejects(verify([header, payload, other + signature.slice(1)].join(".")), { code });
      await assert.rejects(verify([unsigned, payload, ""].join(".")), { code: "ERR_JOSE_ALG_NOT_ALLOWED" });
    });

    test("jk_03_a_rotation_refuses_no_token_and_a_revoked_key_takes_its_tokens_along", async () => {
      await verify(token);
      await program.run("key", "rotate");
      const both = await until("the next key is announced", published, (kids) => kids.length === 2);
      assert.ok(both.includes(kid(token)));
      // A verifier that keeps to the maximum age has the key before it signs. That is proved by the cool-down of 30 s in
      // which this one would not fetch for a key that it does not know.
      session = await until(
        "the next key signs",
        async () => {
          await verify(session.access_token);
          return refreshed(issuer, session);
        },
        ({ access_token }) => kid(access_token) !== kid(token),
      );
      await verify(session.access_token);
      await verify(token);

      await program.run("key", "revoke", kid(token));
      const refused = await until(
        "the revoked key is gone",
        () => verify(token).then(() => "", (fault) => fault.code),
        (code) => code !== "",
      );
      assert.equal(refused, "ERR_JWKS_NO_MATCHING_KEY");
      await verify(session.access_token);
      assert.deepEqual(await published(), [kid(session.access_token)]);
    });
  });
}

async function read(url) {
  const answer = await fetch(url);
  assert.equal(answer.status, 200);
  return answer.json();
}

function encoded(value) {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
