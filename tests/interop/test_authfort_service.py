"""AuthFort's own verifier takes our tokens under profile `authfort`, and is answered when it asks."""

import unittest

import jwt
from authfort_service import ServiceAuth, TokenVerificationError
from authfort_service.jwks import JWKSFetcher
from authfort_service.verifier import JWTVerifier
from support import Program, service, until


class AuthFortService(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.secret, line = service()
        self.program = Program(HALLPASS_PROFILE="authfort", HALLPASS_SERVICES=line)
        self.addCleanup(self.program.stop)
        self.session = self.program.sign_up()
        self.token = self.session["access_token"]
        self.jwks_url = f"{self.program.url}/.well-known/jwks.json"
        self.auth = self.service_auth(self.secret)

    def service_auth(self, secret, **changes):
        settings = {
            "issuer": self.program.url,
            "introspect_url": f"{self.program.url}/auth/introspect",
            "introspect_secret": secret,
        }
        return ServiceAuth(self.jwks_url, **{**settings, **changes})

    async def refused(self, verifier, token):
        with self.assertRaises(TokenVerificationError) as refused:
            await verifier(token)
        return refused.exception.code

    async def test_verify_token_reads_who_is_calling(self):
        payload = await self.auth.verify_token(self.token)
        user = self.session["user"]
        self.assertEqual((payload.sub, payload.email), (user["id"], "ada@example.com"))
        self.assertEqual((payload.name, payload.roles), ("Ada", []))
        self.assertEqual((payload.token_version, payload.mfa_enabled), (0, False))
        self.assertEqual(payload.iss, self.program.url)
        self.assertEqual(payload.exp - payload.iat, self.session["expires_in"])

    async def test_verify_token_refuses_another_issuer_and_what_was_changed(self):
        elsewhere = self.service_auth(self.secret, issuer="https://elsewhere.example.test")
        self.assertEqual(await self.refused(elsewhere.verify_token, self.token), "token_invalid")
        header, payload, signature = self.token.split(".")
        other = ("B" if signature[0] == "A" else "A") + signature[1:]
        for changed in [".".join((header, payload, other)), "junk", self.session["refresh_token"]]:
            self.assertEqual(await self.refused(self.auth.verify_token, changed), "token_invalid")

    async def test_os_02_introspection_tells_what_is_so_now(self):
        found = await self.auth.introspect(self.token)
        claims = jwt.decode(self.token, options={"verify_signature": False})
        self.assertTrue(found.active)
        self.assertEqual((found.sub, found.email), (self.session["user"]["id"], "ada@example.com"))
        self.assertEqual((found.name, found.roles, found.token_version), ("Ada", [], 0))
        told = (found.exp, found.iat, found.iss)
        self.assertEqual(told, (claims["exp"], claims["iat"], claims["iss"]))

    async def test_os_02_roles_are_those_of_now_not_those_of_the_token(self):
        self.program.run("user", "roles", "ada@example.com", "admin", "editor")
        self.assertEqual((await self.auth.introspect(self.token)).roles, ["admin", "editor"])
        self.program.run("user", "roles", "ada@example.com", "--none")
        self.assertEqual((await self.auth.introspect(self.token)).roles, [])

    async def test_os_02_a_token_is_active_after_a_refresh_and_not_after_signing_out(self):
        # AuthFort itself calls every token inactive that a refresh brought.
        refreshed = self.program.refresh(self.session)
        tokens = [self.token, refreshed["access_token"]]
        for token in tokens:
            self.assertTrue((await self.auth.introspect(token)).active)
        self.program.sign_out(refreshed)
        for token in tokens:
            found = await self.auth.introspect(token)
            self.assertFalse(found.active)
            self.assertEqual((found.sub, found.email, found.roles, found.iss), (None,) * 4)

    async def test_os_02_a_session_that_an_operator_ends_is_inactive_at_once(self):
        self.program.run("session", "end", self.session["user"]["session_id"])
        self.assertFalse((await self.auth.introspect(self.token)).active)

    async def test_os_02_without_the_secret_nothing_is_told(self):
        # It takes a 401 for "not active".
        for secret in [None, "hps_" + "A" * 43]:
            found = await self.service_auth(secret).introspect(self.token)
            self.assertFalse(found.active)
        self.assertTrue((await self.auth.introspect(self.token)).active)

    async def test_jk_04_a_revoked_key_is_refused_once_the_key_set_is_fetched_again(self):
        # It fetches again for a key that it does not know, at most every 30 s: here at once.
        fetcher = JWKSFetcher(self.jwks_url, min_refetch_interval=0)
        verify = JWTVerifier(fetcher, issuer=self.program.url).verify
        await verify(self.token)
        old = jwt.get_unverified_header(self.token)["kid"]
        self.program.run("key", "revoke", old)

        def successor_signs():
            self.session = self.program.refresh(self.session)
            token = self.session["access_token"]
            return jwt.get_unverified_header(token)["kid"] != old

        until("another key signs", successor_signs)
        # A key that it knows it does not look at again, so for now its own memory outlives the key.
        await verify(self.token)
        await verify(self.session["access_token"])
        self.assertEqual(await self.refused(verify, self.token), "token_invalid")
        await verify(self.session["access_token"])


class Unchanged(unittest.IsolatedAsyncioTestCase):
    async def test_a_service_that_names_no_issuer_works_when_ours_is_called_as_theirs(self):
        program = Program(HALLPASS_PROFILE="authfort", HALLPASS_TOKENS_ISSUER="authfort")
        self.addCleanup(program.stop)
        token = program.sign_up()["access_token"]
        auth = ServiceAuth(f"{program.url}/.well-known/jwks.json")
        self.assertEqual((await auth.verify_token(token)).email, "ada@example.com")

    async def test_a_token_of_our_own_profile_is_not_taken(self):
        # It says nothing personal, and names an audience that nobody there expects.
        program = Program(HALLPASS_TOKENS_ALGORITHM="RS256")
        self.addCleanup(program.stop)
        token = program.sign_up()["access_token"]
        auth = ServiceAuth(f"{program.url}/.well-known/jwks.json", issuer=program.url)
        with self.assertRaises(TokenVerificationError) as refused:
            await auth.verify_token(token)
        self.assertEqual(refused.exception.code, "token_invalid")
