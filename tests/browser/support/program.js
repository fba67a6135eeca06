// The real program, started on free ports in a folder of its own, and stopped as a service manager stops it.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The program under test. */
export const PROGRAM = process.env.SERVER_PROGRAM || fileURLToPath(new URL("../../../target/debug/hallpass", import.meta.url));
const execute = promisify(execFile);
/** A neighbour may take a port between the moment we find it and the moment we use it. */
const STARTS_MAX = 5;
const LISTENING = "listening on ";
const ATTACKER = "the attacker's page is on ";

/** What every start sets: a hash that costs little, and one log line for each request. */
const COMMON = { HALLPASS_PASSWORDS_MEMORY_KIB: "64", HALLPASS_LOG_FORMAT: "json", HALLPASS_LOG_REQUESTS: "all" };

/**
 * @typedef {object} Program
 * @property {string} origin Where its pages are, such as `http://localhost:8080`.
 * @property {number} port Where it listens on loopback.
 * @property {string} attackOrigin The attacker's page; empty for `serve`.
 * @property {() => string[]} log What it has logged so far, a line each.
 * @property {(...words: string[]) => Promise<string>} run Runs another command on its data, and returns what that says.
 * @property {() => Promise<void>} stop Stops it, and fails unless it exits with 0.
 */

/**
 * Starts the program and returns once it listens.
 * @param {"demo" | "serve"} command
 * @param {Record<string, string>} settings Of the environment, such as `HALLPASS_TOKENS_ACCESS_TTL`.
 * @returns {Promise<Program>}
 */
export async function startProgram(command = "demo", settings = {}) {
  for (let left = STARTS_MAX - 1; ; left -= 1) {
    try {
      return await start(command, settings);
    } catch (fault) {
      if (left === 0 || !String(fault).includes("in use")) throw fault;
    }
  }
}

async function start(command, settings) {
  const folder = await mkdtemp(join(tmpdir(), "hallpass-browser-"));
  const env = { ...marks(), ...COMMON, ...settings };
  const child = spawn(PROGRAM, [command, "--listen", "127.0.0.1:0", "--data", folder], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log = [];
  createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
  // `close` comes after the last line of the log; `error` if there is no such program.
  const closed = Promise.race([once(child, "close"), once(child, "error").then(([fault]) => Promise.reject(fault))]);
  const ended = closed.then(() => Promise.reject(new Error(`the program did not start: ${log.join("\n")}`)));
  const said = await Promise.race([greeting(child, command), ended]).catch(async (fault) => {
    await rm(folder, { recursive: true, force: true });
    throw fault;
  });
  // From here on it is `stop` that waits for the end.
  ended.catch(() => {});
  return {
    origin: said.origin,
    port: Number(new URL(said.origin).port),
    attackOrigin: said.attackOrigin,
    log: () => [...log],
    async run(...words) {
      const { stdout } = await execute(PROGRAM, [...words, "--data", folder], { cwd: folder, env });
      return stdout;
    },
    async stop() {
      child.kill("SIGTERM");
      const [code, signal] = await closed;
      await rm(folder, { recursive: true, force: true });
      assert.deepEqual({ code, signal }, { code: 0, signal: null }, log.join("\n"));
    },
  };
}

/**
 * Starts an example and returns once it listens.
 * @param {string} name Of its program, in the folder of ours: `examples/live`, `fastauth_cookies`.
 * @param {string} [publicUrl] Where browsers reach it. Without one, where it listens.
 * @param {string[]} more Further arguments.
 * @returns {Promise<{origin: string, address: string, port: number, stop: () => Promise<void>}>}
 */
export async function startExample(name, publicUrl, more = []) {
  for (let left = STARTS_MAX - 1; ; left -= 1) {
    try {
      return await example(name, publicUrl, more);
    } catch (fault) {
      if (left === 0 || !String(fault).includes("in use")) throw fault;
    }
  }
}

async function example(name, publicUrl, more) {
  const folder = await mkdtemp(join(tmpdir(), "hallpass-browser-"));
  const port = await freePort();
  const origin = publicUrl ?? `http://localhost:${port}`;
  const program = join(dirname(PROGRAM), name);
  const child = spawn(program, [`127.0.0.1:${port}`, folder, origin, ...more], {
    cwd: folder,
    env: marks(),
    stdio: ["ignore", "ignore", "pipe"],
  });
  const log = [];
  createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
  const closed = Promise.race([once(child, "close"), once(child, "error").then(([fault]) => Promise.reject(fault))]);
  const ended = closed.then(() => Promise.reject(new Error(`the example did not start: ${log.join("\n")}`)));
  const waiting = new AbortController();
  await Promise.race([listens(port, waiting.signal), ended]).catch(async (fault) => {
    waiting.abort();
    await rm(folder, { recursive: true, force: true });
    throw fault;
  });
  ended.catch(() => {});
  return {
    origin,
    address: `http://127.0.0.1:${port}`,
    port,
    async stop() {
      child.kill("SIGTERM");
      const [code, signal] = await closed;
      await rm(folder, { recursive: true, force: true });
      assert.deepEqual({ code, signal }, { code: 0, signal: null }, log.join("\n"));
    },
  };
}

/** Returns a port of this machine that nobody uses. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves once somebody answers on a port of this machine, or nobody waits for it any more. */
export async function listens(port, signal) {
  while (!signal?.aborted) {
    const socket = connect(port, "127.0.0.1");
    const came = await Promise.race([once(socket, "connect").then(() => true), once(socket, "error").then(() => false)]).catch(() => false);
    socket.destroy();
    if (came) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Whoever starts the tests marks what they start, to see that nothing is left. */
function marks() {
  const { PATH, XTASK_RUN } = process.env;
  return XTASK_RUN ? { PATH, XTASK_RUN } : { PATH };
}

/** Returns where the program says it is, once it has said everything that is asked for. */
function greeting(child, command) {
  const said = { origin: "", attackOrigin: "" };
  return new Promise((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith(LISTENING)) said.origin = line.slice(LISTENING.length).trim();
      if (line.startsWith(ATTACKER)) said.attackOrigin = line.slice(ATTACKER.length).trim();
      if (said.origin && (command === "serve" || said.attackOrigin)) resolve(said);
    });
  });
}
