"""The real program, started on a free port in a folder of its own, and a user of it."""

import os
import re
import signal
import subprocess
import tempfile
import threading
import time

import httpx

PROGRAM = os.environ.get("SERVER_PROGRAM") or os.path.join(
    os.path.dirname(__file__), "../../target/debug/hallpass"
)
PASSWORD = "a long and quiet password"
# How long something may take that happens by itself, and how often to look.
PATIENCE_SECONDS = 20
PAUSE_SECONDS = 0.05
# Whoever starts the tests marks what they start, to see that nothing is left.
MARKS = {name: os.environ[name] for name in ("PATH", "XTASK_RUN") if name in os.environ}
# A hash that costs little, and keys that come and go within seconds.
COMMON = {
    "HALLPASS_PASSWORDS_MEMORY_KIB": "64",
    "HALLPASS_KEYS_JWKS_MAX_AGE": "1s",
    "HALLPASS_KEYS_ANNOUNCE": "2s",
}


class Program:
    """`hallpass serve` with these settings of the environment."""

    def __init__(self, **settings):
        self._folder = tempfile.TemporaryDirectory(prefix="hallpass-interop-")
        self._environment = {**MARKS, **COMMON, **settings}
        self._log = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            self._command("serve", "--listen", "127.0.0.1:0"),
            cwd=self._folder.name,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        said = self._process.stdout.readline()
        listening = re.fullmatch(r"listening on (\S+)\n", said)
        if listening is None:
            self.stop()
            raise AssertionError(f"the program did not start: {said}")
        self.url = listening[1]
        # What it says afterwards is read, or it would wait for a reader one day.
        threading.Thread(target=self._process.stdout.read, daemon=True).start()

    def _command(self, *words):
        return [PROGRAM, *words, "--data", self._folder.name]

    def run(self, *words):
        """Runs another command on its data."""
        subprocess.run(
            self._command(*words),
            cwd=self._folder.name,
            env=self._environment,
            check=True,
            capture_output=True,
        )

    def stop(self):
        """Stops it as a service manager does. It has to end well."""
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._log.seek(0)
        log = self._log.read()
        self._log.close()
        self._folder.cleanup()
        assert code == 0, f"exit code {code}: {log}"

    def sign_up(self):
        """Returns the session answer of a new user, with both tokens at its top."""
        body = {
            "email": "ada@example.com",
            "password": PASSWORD,
            "name": "Ada",
            "delivery": "body",
        }
        return self._post("signup", body)

    def refresh(self, session):
        """Returns the next session answer."""
        return self._post("refresh", {"refresh_token": session["refresh_token"]})

    def sign_out(self, session):
        """Ends a session."""
        body = {"refresh_token": session["refresh_token"]}
        httpx.post(f"{self.url}/auth/logout", json=body).raise_for_status()

    def get(self, path):
        """Returns what is published at a path."""
        return httpx.get(self.url + path).raise_for_status().json()

    def _post(self, route, body):
        answer = httpx.post(f"{self.url}/auth/{route}", json=body)
        told = answer.raise_for_status().json()
        # Profile `authfort` puts them a level deeper.
        return told | told.pop("tokens", {})


def service():
    """Draws the secret of a service; returns it and the line for the configuration."""
    said = subprocess.run(
        [PROGRAM, "service", "new", "orders"],
        env=MARKS,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    secret = re.search(r"hps_\S+", said)
    line = re.search(r"orders:[0-9a-f]{64}", said)
    return secret[0], line[0]


def until(what, attempt):
    """Tries until there is an outcome, and returns it."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        outcome = attempt()
        if outcome:
            return outcome
        time.sleep(PAUSE_SECONDS)
    raise AssertionError(f"never came: {what}")
