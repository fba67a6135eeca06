// A web server for one test: pages of its own under any name of this machine, or a proxy in front of the program that
// remembers what browsers sent and what the program answered.

import { EventEmitter, once } from "node:events";
import http from "node:http";
import https from "node:https";
import { pipeline } from "node:stream/promises";

/** How long a request may take to come. */
const PATIENCE_MS = 20_000;
/** How a connection to a program ends that was stopped. */
const GONE = ["ECONNREFUSED", "ECONNRESET"];

/**
 * What went over the wire once.
 * @typedef {object} Exchange
 * @property {string} method
 * @property {string} path With the query.
 * @property {Record<string, string | undefined>} headers Of the request.
 * @property {string[]} cookies The names of the cookies that came, in order.
 * @property {number} status
 * @property {string | null} code What a problem is called.
 * @property {string[]} setCookies
 * @property {Record<string, any>} answered The headers of the answer.
 */

/**
 * A page, or what else is answered at a path: a text is HTML.
 * @typedef {string | {status?: number, headers?: Record<string, string>, body?: string}} Answer
 * @typedef {Answer | ((url: URL, request: http.IncomingMessage) => Answer)} Page
 */

/**
 * Starts a web server on a free port of this machine.
 * @param {{tls?: {key: string, cert: string}, pages?: Record<string, Page>}} options
 */
export async function startSite({ tls, pages = {} } = {}) {
  const site = new Site(pages);
  // A program that is gone is what a proxy says of it, to whoever asks.
  const listener = (request, response) => site.serve(request, response).catch((fault) => site.fails(response, fault));
  site.server = tls ? https.createServer(tls, listener) : http.createServer(listener);
  site.server.on("upgrade", (request, socket, head) => site.upgrade(request, socket, head));
  site.server.listen(0, "127.0.0.1");
  await once(site.server, "listening");
  site.port = site.server.address().port;
  return site;
}

export class Site {
  #upstream = new http.Agent({ keepAlive: true });
  #news = new EventEmitter();
  /** @type {Exchange[]} What was passed on to the program. */
  exchanges = [];
  /** Where the program listens; without it there are only our own pages. */
  programPort = 0;
  /** @type {(exchange: Exchange) => boolean} Which answers never reach the browser. */
  loses = () => false;
  /** @type {(request: http.IncomingMessage) => Promise<void>} What a request waits for on its way to the program. */
  holds = async () => {};
  /** @type {(request: http.IncomingMessage) => Promise<void>} What an answer waits for on its way to the browser. */
  delays = async () => {};
  server;
  port = 0;

  /** @param {Record<string, Page>} pages */
  constructor(pages) {
    this.pages = pages;
  }

  /** Forgets what went over the wire so far. */
  forget() {
    this.exchanges = [];
  }

  /**
   * Returns the first exchange that fits, of those not forgotten, once there is one.
   * @param {(exchange: Exchange) => boolean} fits
   * @returns {Promise<Exchange>}
   */
  async seen(fits) {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const found = this.exchanges.find(fits);
      if (found) return found;
      await once(this.#news, "exchange", { signal: patience });
    }
  }

  async stop() {
    this.#upstream.destroy();
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, "close");
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {http.ServerResponse} response
   */
  async serve(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url, "http://site.invalid");
    const page = this.pages[url.pathname];
    if (page !== undefined) return answerWith(response, typeof page === "function" ? page(url, request) : page);
    if (!this.programPort) return answerWith(response, { status: 404, body: "" });
    await this.holds(request);
    if (request.headers.accept === "text/event-stream") return this.#stream(request, response);
    const { answer, body } = await this.#passOn(request, Buffer.concat(chunks));
    const exchange = this.#remember(request, answer, body);
    if (this.loses(exchange)) return response.destroy();
    await this.delays(request);
    response.writeHead(answer.statusCode, answer.rawHeaders);
    response.end(body);
  }

  /** Answers in place of a program that is not there. */
  fails(response, fault) {
    if (!GONE.includes(fault.code)) throw fault;
    if (response.headersSent) response.destroy();
    else answerWith(response, { status: 502, body: "" });
  }

  /** Opens a request to the program like this one. */
  #request({ method, url: path, rawHeaders: headers }) {
    return http.request({ host: "127.0.0.1", port: this.programPort, method, path, headers, agent: this.#upstream });
  }

  #remember(request, answer, body) {
    const exchange = exchangeOf(request, answer, body);
    this.exchanges.push(exchange);
    this.#news.emit("exchange");
    return exchange;
  }

  /** Passes an answer on as it comes: it may never end. */
  async #stream(request, response) {
    const passed = this.#request(request).end();
    response.on("close", () => passed.destroy());
    const [answer] = await once(passed, "response");
    const chunks = [];
    if (answer.statusCode !== 200) for await (const chunk of answer) chunks.push(chunk);
    this.#remember(request, answer, Buffer.concat(chunks));
    response.writeHead(answer.statusCode, answer.rawHeaders);
    for (const chunk of chunks) response.write(chunk);
    // Either end may go without a word.
    await pipeline(answer, response).catch(() => {});
  }

  /** Lets a WebSocket through, or the refusal. */
  upgrade(request, socket, head) {
    const passed = this.#request(request);
    // A browser that is closed resets its connections, also those that are over for us.
    socket.on("error", () => socket.destroy());
    const begin = (answer, body) => {
      this.#remember(request, answer, body);
      const pairs = Array.from({ length: answer.rawHeaders.length / 2 }, (_, at) => answer.rawHeaders.slice(2 * at, 2 * at + 2));
      const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`, ...pairs.map(([name, value]) => `${name}: ${value}`)];
      socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    };
    passed.on("error", () => socket.destroy());
    passed.on("upgrade", (answer, program, first) => {
      begin(answer, Buffer.alloc(0));
      program.on("error", () => program.destroy());
      program.write(head);
      socket.write(first);
      pipeline(socket, program, socket).catch(() => {});
    });
    passed.on("response", async (answer) => {
      const chunks = [];
      for await (const chunk of answer) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      begin(answer, body);
      socket.end(body);
    });
    passed.end();
  }

  #passOn(request, sent) {
    return new Promise((resolve, reject) => {
      const passed = this.#request(request);
      passed.on("error", reject);
      passed.on("response", async (answer) => {
        const chunks = [];
        for await (const chunk of answer) chunks.push(chunk);
        resolve({ answer, body: Buffer.concat(chunks) });
      });
      passed.end(sent);
    });
  }
}

/** @param {Answer} page */
function answerWith(response, page) {
  const { status = 200, headers = {}, body } = typeof page === "string" ? { body: page } : page;
  response.writeHead(status, { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", ...headers });
  response.end(body ?? "");
}

/** @returns {Exchange} */
function exchangeOf(request, answer, body) {
  const pairs = (request.headers.cookie ?? "").split("; ").filter(Boolean);
  return {
    method: request.method,
    path: request.url,
    headers: request.headers,
    cookies: pairs.map((pair) => pair.split("=")[0]),
    status: answer.statusCode,
    code: problemCode(answer, body),
    setCookies: answer.headers["set-cookie"] ?? [],
    answered: answer.headers,
  };
}

function problemCode(answer, body) {
  const isProblem = answer.headers["content-type"]?.startsWith("application/problem+json");
  return isProblem ? JSON.parse(body.toString()).code : null;
}
