use super::*;
use serde_json::{Value as Json, json};

fn issuer(text: &str) -> Issuer {
    Issuer::checked(text, PlainHttp::LoopbackOnly).unwrap()
}

const OURS: &str = "https://auth.example.test";

fn metadata() -> Json {
    json!({
        "issuer": OURS,
        "jwks_uri": format!("{OURS}/.well-known/jwks.json"),
        "introspection_endpoint": format!("{OURS}/auth/introspect"),
        "revocation_endpoint": format!("{OURS}/auth/revoke"),
        "response_types_supported": [],
        "hallpass_revocations_endpoint": format!("{OURS}/auth/revocations"),
        "hallpass_ticket_endpoint": format!("{OURS}/auth/ticket"),
        "hallpass_verifier": { "kept_seconds": 920 },
    })
}

fn read(document: &Json) -> Result<Endpoints, MetadataFault> {
    Endpoints::read(document.to_string().as_bytes(), &issuer(OURS))
}

#[test]
fn an_issuer_is_an_https_url_without_query_fragment_and_user() {
    for good in [
        "https://auth.example.test",
        "https://auth.example.test/",
        "https://auth.example.test:8443/tenant",
        "http://localhost:8080",
        "http://auth.localhost",
        "http://127.0.0.1:1",
        "http://[::1]:1",
    ] {
        assert_eq!(issuer(good).as_str(), good);
    }
    let refused = |text, plain_http| Issuer::checked(text, plain_http).unwrap_err();
    for wrong in [
        "",
        "auth.example.test",
        "https://",
        "ftp://auth.example.test",
        "https://auth.example.test?x",
        "https://auth.example.test#x",
        "https://user@auth.example.test",
        "https://:pass@auth.example.test",
    ] {
        let fault = refused(wrong, PlainHttp::Everywhere);
        assert!(matches!(fault, RemoteFault::Issuer), "{wrong}: {fault}");
    }
    for plain in [
        "http://auth.example.test",
        "http://10.0.0.1",
        "http://notlocalhost",
    ] {
        let fault = refused(plain, PlainHttp::LoopbackOnly);
        assert!(matches!(fault, RemoteFault::Insecure), "{plain}: {fault}");
        assert!(Issuer::checked(plain, PlainHttp::Everywhere).is_ok());
    }
}

#[test]
fn the_metadata_stands_in_front_of_the_path_of_the_issuer() {
    const AT: &str = "/.well-known/oauth-authorization-server";
    for (text, url) in [
        (OURS, format!("{OURS}{AT}")),
        ("https://auth.example.test/", format!("{OURS}{AT}")),
        ("https://auth.example.test/a/b", format!("{OURS}{AT}/a/b")),
        ("https://auth.example.test/a/", format!("{OURS}{AT}/a")),
    ] {
        assert_eq!(issuer(text).metadata_url().as_str(), url);
    }
}

#[test]
fn what_the_issuer_says_is_read() {
    let endpoints = read(&metadata()).unwrap();
    let at = |path: &str| Url::parse(&format!("{OURS}{path}")).unwrap();
    assert_eq!(
        endpoints,
        Endpoints {
            jwks: at("/.well-known/jwks.json"),
            introspection: Some(at("/auth/introspect")),
            revocations: Some(at("/auth/revocations")),
            ticket: Some(at("/auth/ticket")),
        }
    );
    let redemption = endpoints.redemption();
    assert_eq!(redemption, Some(at("/auth/ticket/redeem")));
    let least = json!({ "issuer": OURS, "jwks_uri": format!("{OURS}/keys") });
    let endpoints = read(&least).unwrap();
    assert_eq!(
        (endpoints.redemption(), endpoints.introspection),
        (None, None)
    );
}

#[test]
fn jk_14_metadata_of_another_issuer_is_refused() {
    for other in [
        "https://auth.example.test/",
        "https://AUTH.example.test",
        "https://auth.example.test:443",
        "https://evil.test",
        "",
    ] {
        let mut document = metadata();
        document["issuer"] = other.into();
        assert_eq!(read(&document), Err(MetadataFault::OtherIssuer), "{other}");
    }
}

#[test]
fn an_endpoint_on_another_origin_is_refused() {
    for foreign in [
        "https://evil.test/keys",
        "http://auth.example.test/keys",
        "https://auth.example.test:8443/keys",
        "https://auth.example.test@evil.test/keys",
        "https://user@auth.example.test/keys",
        "https://auth.example.test/keys#x",
        "/keys",
        "",
    ] {
        for member in [
            "jwks_uri",
            "introspection_endpoint",
            "hallpass_revocations_endpoint",
            "hallpass_ticket_endpoint",
        ] {
            let mut document = metadata();
            document[member] = foreign.into();
            let refused = Err(MetadataFault::ForeignEndpoint);
            assert_eq!(read(&document), refused, "{member} {foreign}");
        }
    }
}

#[test]
fn a_member_of_the_wrong_type_is_not_absent() {
    for member in ["issuer", "jwks_uri", "introspection_endpoint"] {
        for wrong in [json!(7), json!(null), json!(["x"])] {
            let mut document = metadata();
            document[member] = wrong;
            assert_eq!(read(&document), Err(MetadataFault::Malformed), "{member}");
        }
    }
    for text in ["", "[]", "{}", "<html>", "{\"issuer\":1,\"issuer\":2}"] {
        let refused = Endpoints::read(text.as_bytes(), &issuer(OURS));
        assert_eq!(refused, Err(MetadataFault::Malformed), "{text}");
    }
}
