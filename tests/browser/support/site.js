// A web server for one test: pages of its own under any name of this machine, or a proxy in front of the program that
// remembers what browsers sent and what the program answered.

import { EventEmitter, once } from "node:events";
import http from "node:http";
import https from "node:https";

/** How long a request may take to come. */
const PATIENCE_MS = 20_000;

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
  const listener = (request, response) => site.serve(request, response);
  site.server = tls ? https.createServer(tls, listener) : http.createServer(listener);
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
    const { answer, body } = await this.#passOn(request, Buffer.concat(chunks));
    const exchange = exchangeOf(request, answer, body);
    const lost = this.loses(exchange);
    this.exchanges.push(exchange);
    this.#news.emit("exchange");
    if (lost) return response.destroy();
    await this.delays(request);
    response.writeHead(answer.statusCode, answer.rawHeaders);
    response.end(body);
  }

  #passOn(request, sent) {
    return new Promise((resolve, reject) => {
      const { method, url: path, rawHeaders: headers } = request;
      const passed = http.request({ host: "127.0.0.1", port: this.programPort, method, path, headers, agent: this.#upstream });
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
