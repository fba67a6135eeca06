//! What is flipped, what is seen then, and what is refused.

use super::app::{Change, Keys, Visit};
use crate::{Flip, Refusal, attribute};
use hallpass::CsrfCookie;
use hallpass::session::Persistence;
use hallpass::verify::cookies::SameSite;
use hallpass::verify::{Algorithm, Location, Locations, TokenHeader};
use std::time::Duration;

/// Keys that everybody knows, of RFC 8037 A.1 and RFC 7520 §3.5.
const ED25519: &str = include_str!("../../../../hallpass-core/tests/data/keys/ed25519.pem");
const HS256: &str = include_str!("../../../../hallpass-core/tests/data/keys/hs256.jwk.json");
/// The thumbprint of the first (RFC 8037 A.3), and the name of the second.
const ED25519_KID: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
const HS256_KID: &str = "018c0ae5-4d9b-471b-bfd6-eef314bc7037";

/// An app that has its cookie names.
pub(super) const AUTHX: Change = |setup| setup.web.use_authx_names();

/// One that takes tokens in every place, and CSRF tokens in forms.
pub(super) const EVERYWHERE: Change = |setup| {
    AUTHX(setup);
    setup.web.locations = Some(locations(&Location::ALL));
    setup.web.csrf_field = Some("csrf_token".into());
};

fn locations(order: &[Location]) -> Locations {
    Locations::new(order).unwrap()
}

pub(super) type Seen = Flip<Change, Visit>;

pub(super) const OF_TOKENS: [Seen; 15] = [
    Flip {
        theirs: r#"JWT_ALGORITHM="ES256""#,
        ours: |setup| {
            setup.settings.algorithm = Algorithm::Es256;
            setup.keys = Keys::Anew;
        },
        seen_in: |seen| seen.header["alg"].to_string(),
        seen: [r#""EdDSA""#, r#""ES256""#],
    },
    Flip {
        theirs: r#"JWT_SECRET_KEY="…", JWT_ALGORITHM="HS256""#,
        ours: |setup| {
            setup.settings.algorithm = Algorithm::Hs256;
            setup.keys = Keys::Imported(HS256);
        },
        seen_in: |seen| (seen.header["kid"] == HS256_KID).to_string(),
        seen: ["false", "true"],
    },
    Flip {
        theirs: r#"JWT_PRIVATE_KEY="-----BEGIN PRIVATE KEY-----…""#,
        ours: |setup| setup.keys = Keys::Imported(ED25519),
        seen_in: |seen| (seen.header["kid"] == ED25519_KID).to_string(),
        seen: ["false", "true"],
    },
    Flip {
        theirs: r#"JWT_PUBLIC_KEY="-----BEGIN PUBLIC KEY-----…""#,
        ours: |setup| setup.keys = Keys::Imported(ED25519),
        seen_in: |seen| (seen.published == [ED25519_KID]).to_string(),
        seen: ["false", "true"],
    },
    Flip {
        theirs: r#"JWT_PREVIOUS_PUBLIC_KEY="…""#,
        ours: |setup| setup.keys = Keys::Rotated,
        seen_in: |seen| format!("{} keys, before {}", seen.published.len(), seen.before),
        seen: ["1 keys, before 200", "2 keys, before 200"],
    },
    Flip {
        theirs: "JWT_ACCESS_TOKEN_EXPIRES=300",
        ours: |setup| setup.settings.access_ttl = Duration::from_mins(5),
        seen_in: |seen| {
            let second = |name| seen.claims[name].as_u64().unwrap();
            (second("exp") - second("iat")).to_string()
        },
        seen: ["900", "300"],
    },
    Flip {
        theirs: "JWT_REFRESH_TOKEN_EXPIRES=timedelta(days=20)",
        ours: |setup| setup.settings.remembered.idle = Duration::from_hours(20 * 24),
        seen_in: |seen| attribute(&cookie(seen, "refresh_token_cookie"), "Max-Age"),
        seen: ["Max-Age=2592000", "Max-Age=1728000"],
    },
    Flip {
        theirs: r#"JWT_ENCODE_AUDIENCE="orders""#,
        ours: |setup| setup.settings.audience = Some("orders".into()),
        seen_in: |seen| seen.claims["aud"].to_string(),
        seen: [r#""https://api.example.com""#, r#""orders""#],
    },
    Flip {
        theirs: r#"JWT_DECODE_AUDIENCE="orders""#,
        ours: |setup| setup.settings.audience = Some("orders".into()),
        seen_in: |seen| format!("before {}", seen.before),
        seen: ["before 200", "before 401"],
    },
    Flip {
        theirs: r#"JWT_ENCODE_ISSUER="https://id.example.com""#,
        ours: |setup| setup.settings.issuer = "https://id.example.com".into(),
        seen_in: |seen| seen.claims["iss"].to_string(),
        seen: [
            r#""https://api.example.com""#,
            r#""https://id.example.com""#,
        ],
    },
    Flip {
        theirs: r#"JWT_DECODE_ISSUER="https://id.example.com""#,
        ours: |setup| setup.settings.issuer = "https://id.example.com".into(),
        seen_in: |seen| format!("before {}", seen.before),
        seen: ["before 200", "before 401"],
    },
    Flip {
        theirs: "JWT_DECODE_LEEWAY=60",
        ours: |setup| setup.settings.leeway = Duration::from_mins(1),
        seen_in: |seen| seen.kept_seconds.to_string(),
        seen: ["920", "1020"],
    },
    Flip {
        theirs: r#"JWT_ERROR_MESSAGE_KEY="msg""#,
        ours: |setup| setup.message_key = "msg",
        seen_in: |seen| seen.error.clone(),
        seen: ["error_type message", "error_type msg"],
    },
    Flip {
        theirs: "JWT_COOKIE_MAX_AGE=86400",
        ours: |setup| {
            setup.opening = |opening| {
                let idle = Duration::from_hours(24);
                let absolute = idle;
                opening.lifetimes = Some(hallpass::Lifetimes { idle, absolute });
            };
        },
        seen_in: |seen| attribute(&cookie(seen, "refresh_token_cookie"), "Max-Age"),
        seen: ["Max-Age=2592000", "Max-Age=86400"],
    },
    Flip {
        theirs: "JWT_SESSION_COOKIE=True",
        ours: |setup| setup.opening = |opening| opening.persistence = Persistence::Transient,
        seen_in: |seen| {
            let lasting = seen.cookies.iter().filter(|line| line.contains("Max-Age"));
            format!("{} of {}", lasting.count(), seen.cookies.len())
        },
        seen: ["4 of 4", "0 of 4"],
    },
];

pub(super) const OF_COOKIES: [Seen; 14] = [
    Flip {
        theirs: r#"JWT_ACCESS_COOKIE_NAME="at""#,
        ours: |setup| setup.web.cookie_names.access = Some("at".into()),
        seen_in: names,
        seen: [
            "access_token_cookie refresh_token_cookie csrf_access_token csrf_refresh_token",
            "at refresh_token_cookie csrf_access_token csrf_refresh_token",
        ],
    },
    Flip {
        theirs: r#"JWT_REFRESH_COOKIE_NAME="rt""#,
        ours: |setup| setup.web.cookie_names.refresh = Some("rt".into()),
        seen_in: names,
        seen: [
            "access_token_cookie refresh_token_cookie csrf_access_token csrf_refresh_token",
            "access_token_cookie rt csrf_access_token csrf_refresh_token",
        ],
    },
    Flip {
        theirs: r#"JWT_ACCESS_CSRF_COOKIE_NAME="ca""#,
        ours: |setup| setup.web.cookie_names.csrf = Some("ca".into()),
        seen_in: names,
        seen: [
            "access_token_cookie refresh_token_cookie csrf_access_token csrf_refresh_token",
            "access_token_cookie refresh_token_cookie ca csrf_refresh_token",
        ],
    },
    Flip {
        theirs: r#"JWT_REFRESH_CSRF_COOKIE_NAME="cr""#,
        ours: |setup| setup.web.cookie_names.csrf_of_refresh = Some("cr".into()),
        seen_in: names,
        seen: [
            "access_token_cookie refresh_token_cookie csrf_access_token csrf_refresh_token",
            "access_token_cookie refresh_token_cookie csrf_access_token cr",
        ],
    },
    Flip {
        theirs: r#"JWT_ACCESS_COOKIE_PATH="/app""#,
        ours: |setup| setup.web.cookie_path = "/app".into(),
        seen_in: |seen| attribute(&cookie(seen, "access_token_cookie"), "Path"),
        seen: ["Path=/", "Path=/app"],
    },
    Flip {
        theirs: r#"JWT_REFRESH_COOKIE_PATH="/refresh""#,
        ours: |setup| setup.web.refresh_cookie_path = Some("/refresh".into()),
        seen_in: |seen| attribute(&cookie(seen, "refresh_token_cookie"), "Path"),
        seen: ["Path=/", "Path=/refresh"],
    },
    Flip {
        theirs: r#"JWT_ACCESS_CSRF_COOKIE_PATH="/app""#,
        ours: |setup| setup.web.cookie_path = "/app".into(),
        seen_in: |seen| attribute(&cookie(seen, "csrf_access_token"), "Path"),
        seen: ["Path=/", "Path=/app"],
    },
    Flip {
        theirs: r#"JWT_REFRESH_CSRF_COOKIE_PATH="/app""#,
        ours: |setup| setup.web.cookie_path = "/app".into(),
        seen_in: |seen| attribute(&cookie(seen, "csrf_refresh_token"), "Path"),
        seen: ["Path=/", "Path=/app"],
    },
    Flip {
        theirs: r#"JWT_COOKIE_DOMAIN="example.com""#,
        ours: |setup| setup.web.cookie_domain = Some("example.com".into()),
        seen_in: |seen| of_all(seen, "; Domain=example.com"),
        seen: ["0 of 4", "4 of 4"],
    },
    Flip {
        theirs: "JWT_COOKIE_SECURE=False",
        ours: |setup| setup.web.public_url = "http://localhost:8000".into(),
        seen_in: |seen| of_all(seen, "; Secure"),
        seen: ["4 of 4", "0 of 4"],
    },
    Flip {
        theirs: r#"JWT_COOKIE_SAMESITE="strict""#,
        ours: |setup| {
            setup.web.same_site.access = SameSite::Strict;
            setup.web.same_site.refresh = SameSite::Strict;
            setup.web.same_site.csrf = SameSite::Strict;
        },
        seen_in: |seen| of_all(seen, "; SameSite=Strict"),
        seen: ["0 of 4", "4 of 4"],
    },
    Flip {
        theirs: r#"JWT_COOKIE_SAMESITE="none""#,
        ours: |setup| setup.web.same_site.access = SameSite::None,
        seen_in: |seen| attribute(&cookie(seen, "access_token_cookie"), "SameSite"),
        seen: ["SameSite=Lax", "SameSite=None"],
    },
    Flip {
        theirs: "JWT_CSRF_IN_COOKIES=False",
        ours: |setup| setup.web.csrf_cookie = CsrfCookie::NotSent,
        seen_in: names,
        seen: [
            "access_token_cookie refresh_token_cookie csrf_access_token csrf_refresh_token",
            "access_token_cookie refresh_token_cookie",
        ],
    },
    Flip {
        theirs: "JWT_COOKIE_MAX_AGE=None",
        ours: |setup| setup.opening = |opening| opening.persistence = Persistence::Transient,
        seen_in: |seen| attribute(&cookie(seen, "access_token_cookie"), "Max-Age"),
        seen: ["Max-Age=900", ""],
    },
];

pub(super) const OF_REQUESTS: [Seen; 8] = [
    Flip {
        theirs: r#"JWT_TOKEN_LOCATION=["headers", "cookies", "json", "query"]"#,
        ours: |setup| setup.web.locations = Some(locations(&Location::ALL)),
        seen_in: |seen| seen.asked(&["Bearer", "cookie", "access_token", "?access_token"]),
        seen: ["200 200 401 401", "200 200 200 200"],
    },
    Flip {
        theirs: r#"JWT_TOKEN_LOCATION=["cookies", "headers"]"#,
        ours: |setup| setup.web.locations = Some(locations(&[Location::Cookie, Location::Header])),
        seen_in: |seen| seen.asked(&["Bearer", "cookie", "junk and cookie"]),
        seen: ["200 200 401", "200 200 200"],
    },
    Flip {
        theirs: r#"JWT_HEADER_NAME="X-Token""#,
        ours: |setup| {
            setup.web.token_header = TokenHeader::with_scheme("x-token", "Bearer").unwrap();
        },
        seen_in: |seen| seen.asked(&["Bearer", "x-token"]),
        seen: ["200 401", "401 200"],
    },
    Flip {
        theirs: r#"JWT_HEADER_TYPE="JWT""#,
        ours: |setup| {
            setup.web.token_header = TokenHeader::with_scheme("authorization", "JWT").unwrap();
        },
        seen_in: |seen| seen.asked(&["Bearer", "JWT", "bare"]),
        seen: ["200 401 401", "401 200 401"],
    },
    Flip {
        theirs: r#"JWT_HEADER_TYPE="""#,
        ours: |setup| setup.web.token_header = TokenHeader::bare("authorization").unwrap(),
        seen_in: |seen| seen.asked(&["Bearer", "JWT", "bare"]),
        seen: ["200 401 401", "401 401 200"],
    },
    Flip {
        theirs: r#"JWT_CSRF_METHODS=["GET", "POST", "PUT", "PATCH", "DELETE"]"#,
        ours: |setup| setup.web.csrf_also = vec!["GET".into()],
        seen_in: |seen| seen.asked(&["cookie", "Bearer"]),
        seen: ["200 200", "403 200"],
    },
    Flip {
        theirs: "JWT_CSRF_CHECK_FORM=True",
        ours: |setup| setup.web.csrf_field = Some("csrf_token".into()),
        seen_in: |seen| seen.asked(&["form csrf_token", "refresh form csrf_token"]),
        seen: ["403 403", "200 200"],
    },
    Flip {
        theirs: r#"JWT_ACCESS_CSRF_HEADER_NAME="X-XSRF-TOKEN""#,
        ours: |setup| setup.web.csrf_header = "x-xsrf-token".into(),
        seen_in: |seen| seen.asked(&["post x-csrf-token", "post x-xsrf-token"]),
        seen: ["200 403", "403 200"],
    },
];

pub(super) const OF_REQUESTS_EVERYWHERE: [Seen; 5] = [
    Flip {
        theirs: r#"JWT_QUERY_STRING_NAME="jwt""#,
        ours: |setup| setup.web.query_name = "jwt".into(),
        seen_in: |seen| seen.asked(&["?access_token", "?jwt"]),
        seen: ["200 401", "401 200"],
    },
    Flip {
        theirs: r#"JWT_JSON_KEY="jwt""#,
        ours: |setup| setup.web.body_name = "jwt".into(),
        seen_in: |seen| seen.asked(&["access_token", "jwt"]),
        seen: ["200 401", "401 200"],
    },
    Flip {
        theirs: r#"JWT_REFRESH_CSRF_HEADER_NAME="X-XSRF-TOKEN""#,
        ours: |setup| setup.web.csrf_header = "x-xsrf-token".into(),
        seen_in: |seen| seen.asked(&["refresh x-csrf-token", "refresh x-xsrf-token"]),
        seen: ["200 403", "403 200"],
    },
    Flip {
        theirs: r#"JWT_ACCESS_CSRF_FIELD_NAME="xsrf""#,
        ours: |setup| setup.web.csrf_field = Some("xsrf".into()),
        seen_in: |seen| seen.asked(&["form csrf_token", "form xsrf"]),
        seen: ["200 403", "403 200"],
    },
    Flip {
        theirs: r#"JWT_REFRESH_CSRF_FIELD_NAME="xsrf""#,
        ours: |setup| setup.web.csrf_field = Some("xsrf".into()),
        seen_in: |seen| seen.asked(&["refresh form csrf_token", "refresh form xsrf"]),
        seen: ["200 403", "403 200"],
    },
];

/// The line that sets a cookie.
fn cookie(seen: &Visit, name: &str) -> String {
    let named = |line: &&String| line.split('=').next() == Some(name);
    seen.cookies.iter().find(named).unwrap().clone()
}

fn names(seen: &Visit) -> String {
    let names = seen.cookies.iter().map(|line| line.split('=').next());
    names.flatten().collect::<Vec<_>>().join(" ")
}

/// How many of the cookies have this attribute.
fn of_all(seen: &Visit, attribute: &str) -> String {
    let with = seen.cookies.iter().filter(|line| line.contains(attribute));
    format!("{} of {}", with.count(), seen.cookies.len())
}

pub(super) const REFUSALS: [Refusal<Change>; 14] = [
    Refusal {
        theirs: "JWT_ACCESS_TOKEN_EXPIRES=None",
        ours: |setup| setup.settings.access_ttl = Duration::MAX,
        reason: "`tokens.access_ttl`: expected 10 seconds to 24 hours",
    },
    Refusal {
        theirs: "JWT_ACCESS_TOKEN_EXPIRES=False",
        ours: |setup| setup.settings.access_ttl = Duration::ZERO,
        reason: "`tokens.access_ttl`: expected 10 seconds to 24 hours",
    },
    Refusal {
        theirs: "JWT_REFRESH_TOKEN_EXPIRES=None",
        ours: |setup| {
            setup.settings.remembered.idle = Duration::MAX;
            setup.settings.remembered.absolute = Duration::MAX;
        },
        reason: "`tokens.refresh_idle_ttl`: expected a session of at most 400 days",
    },
    Refusal {
        theirs: "JWT_DECODE_LEEWAY=300",
        ours: |setup| setup.settings.leeway = Duration::from_mins(5),
        reason: "`tokens.leeway`: expected at most 60 seconds",
    },
    Refusal {
        theirs: r#"JWT_TOKEN_LOCATION=["headers"], and tokens are put into cookies"#,
        ours: |setup| setup.web.locations = Some(locations(&[Location::Header])),
        reason: "`http.locations`: expected `cookie` among them",
    },
    Refusal {
        theirs: r#"JWT_COOKIE_SAMESITE="none", JWT_COOKIE_SECURE=False"#,
        ours: |setup| {
            setup.web.public_url = "http://localhost:8000".into();
            setup.web.same_site.access = SameSite::None;
        },
        reason: "SameSite=None",
    },
    Refusal {
        theirs: "JWT_COOKIE_SECURE=False, on a host that is not loopback",
        ours: |setup| setup.web.public_url = "http://api.example.com".into(),
        reason: "`public_url`: expected https",
    },
    Refusal {
        theirs: r#"JWT_ACCESS_COOKIE_NAME="csrf_access_token""#,
        ours: |setup| setup.web.cookie_names.access = Some("csrf_access_token".into()),
        reason: "name",
    },
    Refusal {
        theirs: r#"JWT_REFRESH_COOKIE_NAME="access_token_cookie""#,
        ours: |setup| setup.web.cookie_names.refresh = Some("access_token_cookie".into()),
        reason: "name",
    },
    Refusal {
        theirs: r#"JWT_ACCESS_COOKIE_NAME="__Host-access", JWT_ACCESS_COOKIE_PATH="/app""#,
        ours: |setup| {
            setup.web.cookie_names.access = Some("__Host-access".into());
            setup.web.cookie_path = "/app".into();
        },
        reason: "__Host-",
    },
    Refusal {
        theirs: r#"JWT_COOKIE_DOMAIN="com""#,
        ours: |setup| setup.web.cookie_domain = Some("com".into()),
        reason: "public suffix",
    },
    Refusal {
        theirs: r#"JWT_CSRF_METHODS=["get"]"#,
        ours: |setup| setup.web.csrf_also = vec!["get".into()],
        reason: "`http.csrf_also`: expected methods such as `GET`, in capitals",
    },
    Refusal {
        theirs: r#"JWT_ACCESS_CSRF_HEADER_NAME="Authorization""#,
        ours: |setup| setup.web.csrf_header = "authorization".into(),
        reason: "`http.csrf_header`: expected a header of its own",
    },
    Refusal {
        theirs: r#"JWT_QUERY_STRING_NAME="""#,
        ours: |setup| setup.web.query_name = String::new(),
        reason: "`http.query_name`: expected a name",
    },
];
