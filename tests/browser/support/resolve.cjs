// Names that exist nowhere lead to this machine: for programs in Node, what RESOLVER is for browsers.

const dns = require("node:dns");

const { lookup } = dns;
dns.lookup = (host, ...rest) => lookup(host.endsWith(".example.test") ? "127.0.0.1" : host, ...rest);
