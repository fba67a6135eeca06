// The example in `examples/services`, started with the commands of its README, in a copy of its folder.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { freePort, listens, PROGRAM } from "./program.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const EXAMPLE = join(ROOT, "examples/services");
const RESOLVE = fileURLToPath(new URL("resolve.cjs", import.meta.url));
const LISTENING = "listening on ";
/** What is not to come from whoever runs the tests. */
const OWN = /^(HALLPASS_|NODE_OPTIONS$|NODE_TEST_CONTEXT$)/;

/**
 * Copies the example to where cargo still finds the workspace.
 * @param {{auth: string, orders: string, invoices: string, www: string}} origins Where browsers reach everything.
 * @param {string} root The certificate that all of it is trusted by.
 */
export async function newExample(origins, root) {
  await mkdir(join(ROOT, "target"), { recursive: true });
  const folder = await mkdtemp(join(ROOT, "target/services-"));
  const filter = (path) => !/node_modules|hallpass-data|\.txt$/.test(path);
  await cp(EXAMPLE, folder, { recursive: true, filter });
  const trusted = process.env.NODE_EXTRA_CA_CERTS ? await readFile(process.env.NODE_EXTRA_CA_CERTS, "utf8") : "";
  await writeFile(join(folder, "root.pem"), root);
  await writeFile(join(folder, "roots.pem"), `${trusted}\n${root}`);
  const readme = await readFile(join(folder, "README.md"), "utf8");
  const commands = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, command]) => command);
  assert.equal(commands.length, 3, "the README has three commands");
  return new Example(folder, origins, commands);
}

class Example {
  #running = new Set();

  constructor(folder, origins, [auth, orders, invoices]) {
    this.folder = folder;
    this.origins = origins;
    this.commands = { auth, orders, invoices };
  }

  /** Starts the auth server and returns the port on which it listens. */
  async auth() {
    const running = this.#start("auth", this.#settings());
    const lines = createInterface({ input: running.child.stdout });
    const said = new Promise((resolve) => lines.on("line", (line) => line.startsWith(LISTENING) && resolve(line)));
    const line = await Promise.race([said, running.failed]);
    return { ...running, port: Number(new URL(line.slice(LISTENING.length).trim()).port) };
  }

  /** Starts the service in Rust. */
  orders() {
    const { auth, orders, invoices, www } = this.origins;
    const issuer = { ISSUER: auth, ISSUER_ADDRESS: "127.0.0.1", ISSUER_ROOT: join(this.folder, "root.pem") };
    return this.#service("orders", { ...issuer, PUBLIC_URL: orders, INVOICES: invoices, TRUSTED_ORIGINS: www });
  }

  /** Starts the service in Node. */
  invoices() {
    const { auth, orders, invoices, www } = this.origins;
    return this.#service("invoices", {
      ISSUER: auth,
      PUBLIC_URL: invoices,
      TRUSTED_ORIGINS: `${orders},${www}`,
      NODE_EXTRA_CA_CERTS: join(this.folder, "roots.pem"),
      NODE_OPTIONS: `--require=${RESOLVE}`,
      npm_config_prefer_offline: "true",
    });
  }

  /** Runs the program beside the server, and returns what it says. */
  async hallpass(...words) {
    const [command, ...more] = words;
    const all = [command, ...more, "--config", "auth.toml"];
    const child = spawn(PROGRAM, all, { cwd: this.folder, env: environment(this.#settings()), stdio: ["ignore", "pipe", "pipe"] });
    const said = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => said.push(chunk));
    const [code] = await once(child, "close");
    const text = Buffer.concat(said).toString();
    assert.equal(code, 0, `${all.join(" ")}: ${text}`);
    return text;
  }

  /** Stops what still runs. */
  async stop() {
    await Promise.all([...this.#running].map((running) => running.stop("SIGTERM")));
    await rm(this.folder, { recursive: true, force: true });
  }

  /** What the file says for this machine alone, said for hosts of a domain. */
  #settings() {
    const { auth, orders, www } = this.origins;
    return {
      HALLPASS_LISTEN: "127.0.0.1:0",
      HALLPASS_PUBLIC_URL: auth,
      HALLPASS_COOKIES_DOMAIN: "example.test",
      HALLPASS_TRUSTED_ORIGINS: `${orders},${www}`,
      HALLPASS_PASSWORDS_MEMORY_KIB: "64",
    };
  }

  async #service(name, settings) {
    const port = await freePort();
    const running = this.#start(name, { ...settings, LISTEN: `127.0.0.1:${port}` });
    await Promise.race([listens(port), running.failed]);
    return { ...running, port };
  }

  /** Starts a command and whatever it starts, as one group. */
  #start(name, settings) {
    const child = spawn("bash", ["-euo", "pipefail", "-c", this.commands[name]], {
      cwd: this.folder,
      env: environment(settings),
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const log = [];
    for (const input of [child.stdout, child.stderr]) createInterface({ input }).on("line", (line) => log.push(line));
    const closed = once(child, "close");
    const failed = closed.then(() => Promise.reject(new Error(`${name} has ended:\n${log.join("\n")}`)));
    // After the start it is `stop` that waits for the end.
    failed.catch(() => {});
    const running = {
      child,
      failed,
      log: () => [...log],
      stop: async (signal) => {
        this.#running.delete(running);
        // It may have ended by itself.
        if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, signal);
        await closed;
      },
    };
    this.#running.add(running);
    return running;
  }
}

/** What the commands find around them: the program, and the target folder in which it was built. */
function environment(settings) {
  const theirs = Object.entries(process.env).filter(([name]) => !OWN.test(name));
  const built = dirname(PROGRAM);
  return {
    ...Object.fromEntries(theirs),
    PATH: [built, process.env.PATH].join(delimiter),
    CARGO_TARGET_DIR: dirname(built),
    ...settings,
  };
}
