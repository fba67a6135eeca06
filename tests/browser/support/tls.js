// Certificates that nobody trusts: for browsers that are told to look away, and programs that are told to trust a root.

import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** Names that exist nowhere (RFC 6761 §6.2), and what makes a browser take them for this machine. */
export const RESOLVER = "--host-resolver-rules=MAP *.example.test 127.0.0.1, MAP *.other.test 127.0.0.1";

// Tags of DER (X.690 §8), as far as a certificate needs them.
const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BITS = 0x03;
const OCTETS = 0x04;
const OBJECT = 0x06;
const TEXT = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;
// Of the parts of a certificate and of a name.
const DNS_NAME = 0x82;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

const ECDSA_WITH_SHA256 = "2a8648ce3d040302";
const COMMON_NAME = "550403";
const SUBJECT_ALT_NAME = "551d11";
const BASIC_CONSTRAINTS = "551d13";

/**
 * Returns a key and a certificate that it signed itself (RFC 5280 §4.1), for as long as the tests may want.
 * @returns {{key: string, cert: string}}
 */
export function selfSigned() {
  const pair = newPair();
  return { key: pem(pair), cert: certificate("browser tests", pair, { name: "browser tests", pair }) };
}

/**
 * Returns a key and a certificate for these hosts, and that of the root that signed it: for programs that look.
 * @param {string[]} hosts
 * @returns {{key: string, cert: string, root: string}}
 */
export function issuedFor(hosts) {
  const authority = { name: "browser tests, root", pair: newPair() };
  const isAuthority = extension(BASIC_CONSTRAINTS, der(SEQUENCE, der(BOOLEAN, Buffer.from([0xff]))));
  const names = hosts.map((host) => der(DNS_NAME, Buffer.from(host)));
  const pair = newPair();
  return {
    key: pem(pair),
    cert: certificate("browser tests", pair, authority, extension(SUBJECT_ALT_NAME, der(SEQUENCE, ...names))),
    root: certificate(authority.name, authority.pair, authority, isAuthority),
  };
}

function certificate(subject, { publicKey }, authority, ...extensions) {
  const algorithm = der(SEQUENCE, der(OBJECT, Buffer.from(ECDSA_WITH_SHA256, "hex")));
  const validity = der(SEQUENCE, ...[Date.now() - DAY_MS, Date.now() + DAY_MS].map(utcTime));
  // A first byte below 0x80 keeps it positive, one above 0 keeps it short.
  const serial = der(INTEGER, Buffer.from([0x01]), randomBytes(15));
  const subjectKey = publicKey.export({ type: "spki", format: "der" });
  const fields = [serial, algorithm, nameOf(authority.name), validity, nameOf(subject), subjectKey];
  if (extensions.length > 0) {
    fields.unshift(der(VERSION, der(INTEGER, Buffer.from([2]))));
    fields.push(der(EXTENSIONS, der(SEQUENCE, ...extensions)));
  }
  const body = der(SEQUENCE, ...fields);
  const signature = der(BITS, Buffer.from([0]), sign("sha256", body, authority.pair.privateKey));
  const text = der(SEQUENCE, body, algorithm, signature).toString("base64").match(/.{1,64}/g);
  return `-----BEGIN CERTIFICATE-----\n${text.join("\n")}\n-----END CERTIFICATE-----\n`;
}

const newPair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = ({ privateKey }) => privateKey.export({ type: "pkcs8", format: "pem" }).toString();

function nameOf(text) {
  const attribute = der(SEQUENCE, der(OBJECT, Buffer.from(COMMON_NAME, "hex")), der(TEXT, Buffer.from(text)));
  return der(SEQUENCE, der(SET, attribute));
}

function extension(id, value) {
  return der(SEQUENCE, der(OBJECT, Buffer.from(id, "hex")), der(OCTETS, value));
}

const DAY_MS = 86_400_000;

/** `YYMMDDHHMMSSZ` */
function utcTime(ms) {
  const digits = new Date(ms).toISOString().replace(/\D/g, "").slice(2, 14);
  return der(UTC_TIME, Buffer.from(`${digits}Z`));
}

function der(tag, ...parts) {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
