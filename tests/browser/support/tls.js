// A certificate that nobody trusts, for browsers that are told to look away.

import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** Names that exist nowhere (RFC 6761 §6.2), and what makes a browser take them for this machine. */
export const RESOLVER = "--host-resolver-rules=MAP *.example.test 127.0.0.1, MAP *.other.test 127.0.0.1";

// Tags of DER (X.690 §8), as far as a certificate needs them.
const INTEGER = 0x02;
const BITS = 0x03;
const OBJECT = 0x06;
const TEXT = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;

const ECDSA_WITH_SHA256 = "2a8648ce3d040302";
const COMMON_NAME = "550403";

/**
 * Returns a key and a certificate that it signed itself (RFC 5280 §4.1), for as long as the tests may want.
 * @returns {{key: string, cert: string}}
 */
export function selfSigned() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = der(SEQUENCE, der(OBJECT, Buffer.from(ECDSA_WITH_SHA256, "hex")));
  const attribute = der(SEQUENCE, der(OBJECT, Buffer.from(COMMON_NAME, "hex")), der(TEXT, Buffer.from("browser tests")));
  const name = der(SEQUENCE, der(SET, attribute));
  const validity = der(SEQUENCE, ...[Date.now() - DAY_MS, Date.now() + DAY_MS].map(utcTime));
  // A first byte below 0x80 keeps it positive, one above 0 keeps it short.
  const serial = der(INTEGER, Buffer.from([0x01]), randomBytes(15));
  const subjectKey = publicKey.export({ type: "spki", format: "der" });
  const body = der(SEQUENCE, serial, algorithm, name, validity, name, subjectKey);
  const signature = der(BITS, Buffer.from([0]), sign("sha256", body, privateKey));
  const cert = der(SEQUENCE, body, algorithm, signature).toString("base64").match(/.{1,64}/g);
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${cert.join("\n")}\n-----END CERTIFICATE-----\n`,
  };
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
