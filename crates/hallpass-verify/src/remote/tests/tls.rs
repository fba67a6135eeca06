//! An issuer over https: trusted by a root that is named, and by nothing else.

use super::Stage;
use super::issuer::Issuer;
use crate::remote::Remote;
use aws_lc_rs::signature::Ed25519KeyPair;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Of the key with the seed of 21s. Valid until the year 2120.
const ROOT: &str = "\
-----BEGIN CERTIFICATE-----
MIIBPzCB8qADAgECAhQziuKy3jVh9l3cFcH8VXAg5j/x6jAFBgMrZXAwHTEbMBkG
A1UEAwwSSGFsbHBhc3MgdGVzdCByb290MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAw
MTAxMDAwMDAwWjAdMRswGQYDVQQDDBJIYWxscGFzcyB0ZXN0IHJvb3QwKjAFBgMr
ZXADIQDVQgfaGUl33PRq2/7CvC51tS1aikIYT+39wAAk8OPo2qNCMEAwDwYDVR0T
AQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAgQwHQYDVR0OBBYEFPJRLJy5GvzRdzMF
4Cb73ogZHc1TMAUGAytlcANBAI4bKfyaFwrRP9AKUaF7THU/Z7Tp+KHdP2eZypkw
bfmROhWAwkWR4PWneVX/gIK5dWCgMoGbTJcwoKT19/xhSwU=
-----END CERTIFICATE-----
";

/// Of the key with the seed of 22s, for `127.0.0.1` and `localhost`, signed by the root.
const LEAF: &str = "\
-----BEGIN CERTIFICATE-----
MIIBkDCCAUKgAwIBAgIUSkqS/zOYIlbnwcMNKlTEXJNU9eMwBQYDK2VwMB0xGzAZ
BgNVBAMMEkhhbGxwYXNzIHRlc3Qgcm9vdDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIw
MDEwMTAwMDAwMFowHzEdMBsGA1UEAwwUSGFsbHBhc3MgdGVzdCBpc3N1ZXIwKjAF
BgMrZXADIQBRHDShostSHfFrska43o55l84jXH52sio9dQOiSBndiqOBjzCBjDAJ
BgNVHRMEAjAAMBoGA1UdEQQTMBGHBH8AAAGCCWxvY2FsaG9zdDAOBgNVHQ8BAf8E
BAMCB4AwEwYDVR0lBAwwCgYIKwYBBQUHAwEwHQYDVR0OBBYEFKYCLr7fM0mP26ko
HJpBeQ90S/jIMB8GA1UdIwQYMBaAFPJRLJy5GvzRdzMF4Cb73ogZHc1TMAUGAytl
cANBANLB9kqky9rvIo4U8gpGtQiD6OEeqIXIKvz9zuxPfc/1+uMjd4S37ddoTyGS
ulymRPvQ8wNrR4S+6CBpYDZccAg=
-----END CERTIFICATE-----
";

/// The same for `other.test`.
const OTHER: &str = "\
-----BEGIN CERTIFICATE-----
MIIBijCCATygAwIBAgIUcf3Pt7Y6G4HGjNu3ALcDoMJoiMkwBQYDK2VwMB0xGzAZ
BgNVBAMMEkhhbGxwYXNzIHRlc3Qgcm9vdDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIw
MDEwMTAwMDAwMFowHjEcMBoGA1UEAwwTSGFsbHBhc3MgdGVzdCBvdGhlcjAqMAUG
AytlcAMhAFEcNKGiy1Id8WuyRrjejnmXziNcfnayKj11A6JIGd2Ko4GKMIGHMAkG
A1UdEwQCMAAwFQYDVR0RBA4wDIIKb3RoZXIudGVzdDAOBgNVHQ8BAf8EBAMCB4Aw
EwYDVR0lBAwwCgYIKwYBBQUHAwEwHQYDVR0OBBYEFKYCLr7fM0mP26koHJpBeQ90
S/jIMB8GA1UdIwQYMBaAFPJRLJy5GvzRdzMF4Cb73ogZHc1TMAUGAytlcANBAL20
wBLKdDSRxWLApL/wnMecf+S46K/Qt5PgvnTFFSo5LJQQnXonojJhq9Bv0xbaIV+d
Kgk0iXuE2bxAg+q9sQI=
-----END CERTIFICATE-----
";

fn acceptor(certificate: &str) -> TlsAcceptor {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[22; 32]).unwrap();
    let key = pair.to_pkcs8v1().unwrap().as_ref().to_vec();
    let key = PrivateKeyDer::Pkcs8(key.into());
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let config = ServerConfig::builder().with_no_client_auth();
    TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key).unwrap()))
}

#[tokio::test]
async fn an_issuer_whose_root_is_named_is_trusted() {
    let issuer = Issuer::with_tls(acceptor(LEAF), &["k1"]).await;
    assert!(issuer.url().starts_with("https://"));
    let stage = Stage::cold(issuer, |builder| builder.trusted_root_pem(ROOT.as_bytes()));
    assert_eq!(stage.verdict(&stage.token("k1")).await, "alice");
}

#[tokio::test]
async fn an_issuer_whose_root_is_not_named_is_not_trusted() {
    let issuer = Issuer::with_tls(acceptor(LEAF), &["k1"]).await;
    let stage = Stage::cold(issuer, |builder| builder);
    stage.remote.ready().await;
    let status = stage.remote.status().keys;
    assert_eq!((status.keys, status.fault), (0, Some("unreachable")));
    assert_eq!(stage.issuer.requests_len(), 0);
    assert_eq!(stage.verdict(&stage.token("k1")).await, "unavailable");
}

#[tokio::test]
async fn a_certificate_of_another_name_is_not_trusted() {
    let issuer = Issuer::with_tls(acceptor(OTHER), &["k1"]).await;
    let stage = Stage::cold(issuer, |builder| builder.trusted_root_pem(ROOT.as_bytes()));
    stage.remote.ready().await;
    assert_eq!(stage.remote.status().keys.fault, Some("unreachable"));
    assert_eq!(stage.issuer.requests_len(), 0);
}

#[tokio::test]
async fn an_issuer_is_reached_at_the_address_that_is_named_and_trusted_by_its_own_name() {
    let reached = async |certificate: &str| {
        let issuer = Issuer::with_tls(acceptor(certificate), &["k1"]).await;
        // Nobody resolves this name.
        let url = issuer.url().replace("127.0.0.1", "other.test");
        let remote = Remote::builder(&url)
            .issuer_address(IpAddr::V4(Ipv4Addr::LOCALHOST))
            .trusted_root_pem(ROOT.as_bytes())
            .start()
            .unwrap();
        remote.ready().await;
        (issuer.requests_len(), remote.status().keys.fault)
    };
    // It gives itself another name, which is a later question.
    assert_eq!(reached(OTHER).await, (1, Some("other_issuer")));
    assert_eq!(reached(LEAF).await, (0, Some("unreachable")));
}
