//! Who is at the other end, when proxies are in between.

use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The one header that proxies are believed about.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The most hops that are looked at; further ones cannot be ours.
const HOPS_MAX: usize = 64;

/// The proxies in front of the listener.
///
/// # Security
/// Whoever is listed here can claim any client address, and so escape limits per address. An
/// empty list, the default, believes nobody: the client is who connects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// Tells that an address of a proxy could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an address or a network such as 10.0.0.0/8, got `{0}`")]
pub struct InvalidProxy(String);

impl TrustedProxies {
    /// Reads addresses (`127.0.0.1`) and networks (`10.0.0.0/8`, `fd00::/8`).
    ///
    /// # Errors
    /// With the first entry that is neither.
    pub fn parse<'e>(entries: impl IntoIterator<Item = &'e str>) -> Result<Self, InvalidProxy> {
        let read = |entry: &str| {
            let net = entry
                .parse()
                .or_else(|_| entry.parse().map(|address: IpAddr| address.into()));
            net.map_err(|_: std::net::AddrParseError| InvalidProxy(entry.to_owned()))
        };
        entries
            .into_iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Returns the client's address: the rightmost one in `X-Forwarded-For` that is not one of
    /// these proxies, provided that a proxy of ours is at the other end.
    ///
    /// # Security
    /// The right end of the list is written by our own proxies, the left end by anybody.
    /// Anything unreadable on the way ends the walk at the last address that was certain.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trusts(client) {
            return client;
        }
        // Several lines are one list, in order (RFC 9110 §5.3).
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for hop in hops.take(HOPS_MAX) {
            let hop = hop.trim_ascii();
            if hop.is_empty() {
                continue;
            }
            let Some(address) = address(hop) else {
                return client;
            };
            client = address;
            if !self.trusts(client) {
                return client;
            }
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }
}

/// Reads an address, with or without a port: proxies write `1.2.3.4:80` and `[::1]:80` too.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?;
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare
        .parse()
        .ok()
        .or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))?;
    // An IPv4 client of an IPv6 socket is still an IPv4 client.
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};
    use serde_json::Value;

    fn proxies() -> TrustedProxies {
        TrustedProxies::parse(["10.0.0.0/8", "127.0.0.1", "fd00::/8"]).unwrap()
    }

    fn client(peer: &str, forwarded_for: &str) -> String {
        let value = HeaderValue::from_str(forwarded_for).unwrap();
        let headers = HeaderMap::from_iter([(HeaderName::from_static(FORWARDED_FOR), value)]);
        proxies()
            .client(peer.parse().unwrap(), &headers)
            .to_string()
    }

    fn headers(case: &Value) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, values) in case["headers"].as_object().unwrap() {
            let one = std::slice::from_ref(values);
            for value in values.as_array().map_or(one, Vec::as_slice) {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                headers.append(name, value.as_str().unwrap().parse().unwrap());
            }
        }
        headers
    }

    #[test]
    fn ht_01_the_client_is_the_rightmost_address_that_is_not_ours() {
        let file = include_str!("../tests/data/client-ip.json");
        let vectors: Value = serde_json::from_str(file).unwrap();
        let entries = vectors["config"]["trusted_proxies"].as_array().unwrap();
        let proxies = TrustedProxies::parse(entries.iter().map(|entry| entry.as_str().unwrap()));
        let proxies = proxies.unwrap();
        let cases = vectors["cases"].as_array().unwrap();
        for case in cases {
            // The expectation may carry a remark behind the address.
            let expected = case["client"].as_str().unwrap().split(' ').next().unwrap();
            let peer = case["peer"].as_str().unwrap().parse().unwrap();
            assert_eq!(
                proxies.client(peer, &headers(case)).to_string(),
                expected,
                "{case}"
            );
        }
        assert_eq!(cases.len(), 14);
    }

    #[test]
    fn ht_01_what_cannot_be_read_ends_the_walk_at_the_last_certain_address() {
        for (forwarded_for, expected) in [
            ("198.51.100.1, junk", "10.0.0.5"),
            ("198.51.100.1, junk, 10.0.0.7", "10.0.0.7"),
            ("unknown", "10.0.0.5"),
            ("1.2.3.4.5", "10.0.0.5"),
            ("1.2.3.4:99999", "10.0.0.5"),
            ("010.0.0.1", "10.0.0.5"),
            ("198.51.100.1,,", "198.51.100.1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("::ffff:198.51.100.1", "198.51.100.1"),
            ("10.0.0.9", "10.0.0.9"),
        ] {
            assert_eq!(
                client("10.0.0.5", forwarded_for),
                expected,
                "{forwarded_for}"
            );
        }
        assert_eq!(client("::ffff:10.0.0.5", "198.51.100.1"), "198.51.100.1");
        assert_eq!(client("fd00::1", "198.51.100.1, fd00::2"), "198.51.100.1");
    }

    #[test]
    fn without_proxies_the_client_is_who_connects() {
        let headers = HeaderMap::from_iter([(
            HeaderName::from_static(FORWARDED_FOR),
            HeaderValue::from_static("198.51.100.1"),
        )]);
        let peer: IpAddr = "127.0.0.1".parse().unwrap();
        assert_eq!(TrustedProxies::default().client(peer, &headers), peer);
    }

    #[test]
    fn an_entry_that_is_no_network_is_refused_by_name() {
        let refused = TrustedProxies::parse(["10.0.0.0/8", "example.com"]).unwrap_err();
        assert!(refused.to_string().contains("`example.com`"));
        for entry in ["", "10.0.0.0/33", "*", "10.0.0"] {
            assert!(TrustedProxies::parse([entry]).is_err(), "{entry}");
        }
    }
}
