//! Signing up and signing in: what is taken, what is refused, and what is told.

use crate::common::{ALICE, App, BOB, Browser, PASSWORD, credentials};
use serde_json::{Value, json};

fn with_password(email: &str, password: impl Into<Value>) -> Value {
    json!({ "email": email, "password": password.into() })
}

/// What is wrong with which field.
fn errors(answer: &crate::common::Answer) -> Vec<(String, String)> {
    let body = answer.json();
    let errors = body["errors"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    errors
        .map(|error| (text(&error["field"]), text(&error["code"])))
        .collect()
}

#[tokio::test]
async fn pw_04_a_password_has_8_characters_to_1024_bytes_and_is_never_cut() {
    let app = App::start().await;
    let of_len = |len: usize| "vxqjmzkrtw".chars().cycle().take(len).collect::<String>();
    for (len, fault) in [
        (0, Some("too_short")),
        (7, Some("too_short")),
        (8, None),
        (14, None),
        (15, None),
        (64, None),
        (128, None),
        (1024, None),
        (1025, Some("too_long")),
        (10_000, Some("too_long")),
    ] {
        let email = format!("u{len}@example.test");
        let body = with_password(&email, of_len(len));
        let answer = app.post("/auth/signup").json(&body).send().await;
        if let Some(fault) = fault {
            let answer = answer.expect(422, "validation_failed");
            assert_eq!(
                errors(&answer),
                [("password".into(), fault.into())],
                "{len}"
            );
            continue;
        }
        assert_eq!(answer.status, 201, "{len}");
        let answer = app.post("/auth/login").json(&body).send().await;
        assert_eq!(answer.status, 200, "{len}");
        // One character less or more is another password.
        for other in [of_len(len - 1), of_len(len) + "w"] {
            let body = with_password(&email, other);
            let answer = app.post("/auth/login").json(&body).send().await;
            assert_ne!(answer.status, 200, "{len}");
        }
    }
}

#[tokio::test]
async fn pw_05_common_passwords_are_refused_with_the_reason() {
    let app = App::start().await;
    let common = include_str!("../../../hallpass-core/src/user/common_passwords.txt");
    let common = common.lines().filter(|line| line.chars().count() >= 8);
    let mut count = 0;
    for password in common {
        let body = with_password(ALICE, password);
        let answer = app.post("/auth/signup").json(&body).send().await;
        let answer = answer.expect(422, "validation_failed");
        assert_eq!(errors(&answer), [("password".into(), "too_common".into())]);
        count += 1;
    }
    assert!(count >= 3_000, "{count}");
}

#[tokio::test]
async fn pw_10_what_a_user_may_do_never_comes_from_their_own_request() {
    let app = App::start().await;
    let mut body = credentials(ALICE);
    let wishes = json!({
        "role": "admin", "roles": ["admin"], "is_admin": true, "email_verified": true,
        "id": 1, "sub": "1", "user_id": "1", "tenant": "x", "scope": "orders:read",
        "created_at": "1970-01-01T00:00:00Z",
    });
    for (name, value) in wishes.as_object().unwrap() {
        body[name] = value.clone();
    }
    let mut alice = Browser::new(&app);
    let answer = alice.post("/auth/signup").json(&body).send().await;
    assert_eq!(answer.status, 201);
    let user = answer.json()["user"].clone();
    assert_eq!(user["roles"], json!([]));
    assert_eq!(user["created_at"], "2027-01-15T08:00:00Z");
    assert_ne!(user["id"], "1");
    let id = hallpass_verify::UserId::parse(user["id"].as_str().unwrap()).unwrap();
    let row = app.mount.hallpass().user(&id).await.unwrap().unwrap();
    assert!(row.roles.is_empty());
    assert!(!app.database().contains("admin"));
    let answer = alice.get("/admin").send().await;
    answer.expect(403, "insufficient_scope");
    let answer = alice.get("/orders").send().await;
    answer.expect(403, "insufficient_scope");
    // Nor by signing in.
    let answer = alice.post("/auth/login").json(&body).send().await;
    assert_eq!(answer.json()["user"]["roles"], json!([]));
}

#[tokio::test]
async fn pw_13_one_mailbox_is_one_account() {
    let app = App::start().await;
    let signup = async |email: &str| {
        let answer = app.post("/auth/signup").json(&credentials(email)).send();
        let answer = answer.await;
        (answer.status, answer.code())
    };
    assert_eq!(signup("Alice@Example.TEST").await.0, 201);
    for same in [
        "alice@example.test",
        "ALICE@EXAMPLE.TEST",
        " alice@example.test ",
    ] {
        assert_eq!(signup(same).await, (409, "email_taken".into()), "{same}");
        let answer = app
            .post("/auth/login")
            .json(&credentials(same))
            .send()
            .await;
        // Shown as it was typed when it was given.
        assert_eq!(answer.json()["user"]["email"], "Alice@Example.TEST");
    }
    for look_alike in [
        "al\u{131}ce@example.test",
        "ALI\u{212a}E@example.test",
        "\u{ff41}lice@example.test",
        "alice@ex\u{e4}mple.test",
        "alice@example.test\u{200b}",
        "alice\u{ad}@example.test",
        "\u{430}lice@example.test",
    ] {
        let refused = (422, "validation_failed".to_owned());
        assert_eq!(signup(look_alike).await, refused, "{look_alike:?}");
        let body = credentials(look_alike);
        let answer = app.post("/auth/login").json(&body).send().await;
        answer.expect(422, "validation_failed");
    }
    // A tag is another address.
    assert_eq!(signup("alice+1@example.test").await.0, 201);
}

#[tokio::test]
async fn pw_15_no_address_and_no_name_breaks_a_line() {
    let app = App::start().await;
    let before = app.database();
    for email in [
        "a@b.cd\r\nBcc: m@evil.test",
        "a@b.cd\nBcc: m@evil.test",
        "a@b.cd\rX: y",
        "a\r\n@b.cd",
        "a@b.cd\0",
        "a@b.cd, m@evil.test",
        "\"a\r\n\"@b.cd",
        "Alice <a@b.cd>",
    ] {
        let answer = app.post("/auth/signup").json(&credentials(email)).send();
        let answer = answer.await.expect(422, "validation_failed");
        assert_eq!(errors(&answer), [("email".into(), "invalid".into())]);
        assert!(!answer.text().contains("evil"), "input is never echoed");
    }
    for name in [
        "A\r\nBcc: m@evil.test",
        "A\nB",
        "A\0B",
        "A\u{1b}[2J",
        "A\u{85}B",
    ] {
        let mut body = credentials(ALICE);
        body["name"] = name.into();
        let answer = app.post("/auth/signup").json(&body).send().await;
        let answer = answer.expect(422, "validation_failed");
        assert_eq!(errors(&answer), [("name".into(), "invalid".into())]);
    }
    assert_eq!(app.database(), before);
}

#[tokio::test]
async fn pw_17_a_member_that_stands_twice_is_refused() {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    for body in [
        format!(r#"{{"email":"{ALICE}","email":"{BOB}","password":"{PASSWORD}"}}"#),
        format!(r#"{{"email":"{BOB}","email":"{ALICE}","password":"{PASSWORD}"}}"#),
        format!(r#"{{"email":"{ALICE}","password":"{PASSWORD}","password":"{PASSWORD}"}}"#),
        // The same name once it is read.
        format!(r#"{{"email":"{ALICE}","\u0065mail":"{BOB}","password":"{PASSWORD}"}}"#),
        format!(r#"{{"email":"{ALICE}","password":"{PASSWORD}","x":{{"a":1,"a":1}}}}"#),
    ] {
        for path in ["/auth/login", "/auth/signup"] {
            let request = app.post(path).header("content-type", "application/json");
            let answer = request.body(body.clone()).send().await;
            assert_eq!(answer.expect(400, "malformed_body").cookies(), []);
        }
    }
}

#[tokio::test]
async fn pw_18_a_password_of_another_type_is_no_password() {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    for path in ["/auth/login", "/auth/signup"] {
        for (wrong, code) in [
            (json!(12_345_678), "wrong_type"),
            (json!([PASSWORD]), "wrong_type"),
            (json!({ "password": PASSWORD }), "wrong_type"),
            (json!(true), "wrong_type"),
            (json!(null), "required"),
        ] {
            let body = with_password("new@example.test", wrong.clone());
            let answer = app.post(path).json(&body).send().await;
            let answer = answer.expect(422, "validation_failed");
            assert_eq!(
                errors(&answer),
                [("password".into(), code.into())],
                "{wrong}"
            );
            let body = json!({ "email": wrong, "password": PASSWORD });
            let answer = app.post(path).json(&body).send().await;
            let answer = answer.expect(422, "validation_failed");
            assert_eq!(errors(&answer), [("email".into(), code.into())], "{wrong}");
        }
        let answer = app.post(path).json(&json!({})).send().await;
        let missing = [("email", "required"), ("password", "required")];
        let missing = missing.map(|(field, code)| (field.to_owned(), code.to_owned()));
        assert_eq!(errors(&answer), missing);
        for body in ["[]", "1", "null", "\"x\""] {
            let request = app.post(path).header("content-type", "application/json");
            request
                .body(body)
                .send()
                .await
                .expect(400, "malformed_body");
        }
        for (field, wrong) in [
            ("remember", json!("yes")),
            ("remember", json!(1)),
            ("delivery", json!("both")),
            ("delivery", json!(1)),
            ("delivery", json!("Cookie")),
        ] {
            let mut body = credentials(ALICE);
            body[field] = wrong;
            let answer = app.post(path).json(&body).send().await;
            let answer = answer.expect(422, "validation_failed");
            assert_eq!(errors(&answer)[0].0, field);
        }
    }
}

#[tokio::test]
async fn a_delivery_that_is_not_offered_is_refused() {
    let app = App::start_with(|_, web| {
        web.deliveries = vec![hallpass_core::Delivery::Cookie];
    })
    .await;
    app.add_user(ALICE, &[]).await;
    for (delivery, status) in [("cookie", 200), ("body", 422), ("split", 422)] {
        let mut body = credentials(ALICE);
        body["delivery"] = delivery.into();
        let answer = app.post("/auth/login").json(&body).send().await;
        assert_eq!(answer.status, status, "{delivery}");
    }
}

#[tokio::test]
async fn en_01_an_unknown_user_and_a_wrong_password_are_told_the_same() {
    let app = App::start().await;
    app.add_user(ALICE, &[]).await;
    let mut answers = Vec::new();
    for (email, password) in [
        (ALICE, "a wrong fox on the moon"),
        ("nobody@example.test", "a wrong fox on the moon"),
        ("nobody@example.test", PASSWORD),
        (ALICE, ""),
        ("nobody@example.test", ""),
        ("NOBODY@example.test", "password"),
    ] {
        let body = with_password(email, password);
        let answer = app.post("/auth/login").json(&body).send().await;
        let answer = answer.expect(401, "invalid_credentials");
        answers.push((answer.headers.clone(), answer.body.clone()));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    // Too many failures look the same too.
    let mut limited = Vec::new();
    for (email, octet) in [(ALICE, 8), ("nobody@example.test", 9)] {
        for _ in 0..10 {
            let body = with_password(email, "a wrong fox");
            let answer = app.post("/auth/login").json(&body).from(octet).send().await;
            answer.expect(401, "invalid_credentials");
        }
        let body = with_password(email, PASSWORD);
        let answer = app.post("/auth/login").json(&body).from(octet).send().await;
        let answer = answer.expect(429, "rate_limited");
        limited.push((answer.headers.clone(), answer.body.clone()));
    }
    assert_eq!(limited[0], limited[1]);
}
