"""PyJWT verifies our tokens: all that it is told is the URL of the issuer."""

import base64
import json
import unittest

import jwt
from support import Program, until

REQUIRED = ["iss", "aud", "sub", "sid", "jti", "iat", "exp"]


class Verifying:
    """The tests, once for each algorithm."""

    algorithm = ""

    @classmethod
    def setUpClass(cls):
        cls.program = Program(HALLPASS_TOKENS_ALGORITHM=cls.algorithm)
        cls.addClassCleanup(cls.program.stop)
        cls.issuer = cls.program.url
        metadata = cls.program.get("/.well-known/oauth-authorization-server")
        assert metadata["issuer"] == cls.issuer
        # For how long it may keep the key set, as the header says.
        cls.keys = jwt.PyJWKClient(metadata["jwks_uri"], lifespan=1)
        cls.session = cls.program.sign_up()
        cls.token = cls.session["access_token"]

    def verify(self, token, **changes):
        expected = {
            "algorithms": [self.algorithm],
            "audience": self.issuer,
            "issuer": self.issuer,
        }
        self.assertEqual(jwt.get_unverified_header(token)["typ"], "at+jwt")
        key = self.keys.get_signing_key_from_jwt(token)
        options = {"require": REQUIRED}
        return jwt.decode(token, key, options=options, **{**expected, **changes})

    def published(self):
        keys = self.program.get("/.well-known/jwks.json")["keys"]
        return [key["kid"] for key in keys]

    def test_a_token_verifies_from_the_url_of_its_issuer_alone(self):
        claims = self.verify(self.token)
        self.assertEqual(claims["sub"], self.session["user"]["id"])
        self.assertEqual(claims["sid"], self.session["session"]["id"])

    def test_a_token_for_somebody_else_or_of_somebody_else_is_refused(self):
        elsewhere = "https://elsewhere.example.test"
        for changes, fault in [
            ({"audience": elsewhere}, jwt.InvalidAudienceError),
            ({"audience": None}, jwt.InvalidAudienceError),
            ({"issuer": elsewhere}, jwt.InvalidIssuerError),
            ({"issuer": self.issuer + "/"}, jwt.InvalidIssuerError),
            ({"algorithms": ["HS256"]}, jwt.InvalidAlgorithmError),
        ]:
            with self.subTest(changes), self.assertRaises(fault):
                self.verify(self.token, **changes)

    def test_a_token_that_was_changed_is_refused(self):
        header, payload, signature = self.token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
        claims["roles"] = ["admin"]
        admin = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        other = ("B" if signature[0] == "A" else "A") + signature[1:]
        for changed in [(header, admin, signature), (header, payload, other)]:
            with self.assertRaises(jwt.InvalidSignatureError):
                self.verify(".".join(changed))

    def test_jk_03_a_rotation_refuses_no_token_and_a_revoked_key_takes_its_tokens_along(self):
        def kid(token):
            return jwt.get_unverified_header(token)["kid"]

        def next_key_signs():
            self.verify(self.session["access_token"])
            type(self).session = self.program.refresh(self.session)
            return kid(self.session["access_token"]) != kid(self.token)

        def refused():
            try:
                self.verify(self.token)
            except jwt.PyJWKClientError as fault:
                return str(fault)

        self.verify(self.token)
        self.program.run("key", "rotate")
        both = until(
            "the next key is announced",
            lambda: (keys := self.published())[1:] and keys,
        )
        self.assertIn(kid(self.token), both)
        until("the next key signs", next_key_signs)
        newer = self.session["access_token"]
        self.assertIn(kid(newer), both)
        self.verify(newer)
        self.verify(self.token)

        self.program.run("key", "revoke", kid(self.token))
        fault = until("the revoked key is gone", refused)
        self.assertIn("Unable to find a signing key", fault)
        self.verify(newer)
        self.assertEqual(self.published(), [kid(newer)])


class EdDSA(Verifying, unittest.TestCase):
    algorithm = "EdDSA"


class ES256(Verifying, unittest.TestCase):
    algorithm = "ES256"


class RS256(Verifying, unittest.TestCase):
    algorithm = "RS256"


class PS256(Verifying, unittest.TestCase):
    algorithm = "PS256"
