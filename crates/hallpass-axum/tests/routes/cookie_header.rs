//! The Cookie header: which of several values counts, and which name is ours.

use super::cookies::CONFIGURATIONS;
use crate::common::{ACCESS, ACCESS_TTL, ALICE, App, BOB, REFRESH, SECOND};

#[tokio::test]
async fn ck_09_a_cookie_that_a_sibling_host_adds_is_never_chosen_by_its_place() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await.access();
    let mallory = app.signed_up("mallory@example.test").await.access();
    for (first, second) in [(&mallory, &alice), (&alice, &mallory)] {
        let line = format!("{ACCESS}={first}; {ACCESS}={second}");
        let answer = app.get("/auth/me").header("cookie", &line).send().await;
        answer.expect(401, "token_malformed");
    }
    // Without the prefix two are possible: of different users none is chosen.
    let app = App::on_localhost().await;
    let alice = app.signed_up(ALICE).await.access();
    let mallory = app.signed_up("mallory@example.test").await.access();
    for (first, second) in [(&mallory, &alice), (&alice, &mallory)] {
        let line = format!("hp_access={first}; hp_access={second}");
        let answer = app.get("/auth/me").header("cookie", &line).send().await;
        answer.expect(401, "token_malformed");
    }
}

#[tokio::test]
async fn a_stale_twin_beside_the_good_access_cookie_does_no_harm() {
    let app = App::on_localhost().await;
    let mut alice = app.signed_up(ALICE).await;
    let stale = alice.access();
    app.advance(ACCESS_TTL + 60 * SECOND);
    alice.refresh().await;
    let good = alice.access();
    for (first, second) in [(&stale, &good), (&good, &stale)] {
        let line = format!("hp_access={first}; hp_access={second}");
        let answer = app.get("/auth/me").header("cookie", &line).send().await;
        assert_eq!(
            (answer.status, &answer.json()["email"]),
            (200, &ALICE.into())
        );
    }
}

#[tokio::test]
async fn of_two_refresh_cookies_of_one_session_the_newer_counts() {
    for (change, name) in [
        (CONFIGURATIONS[0], REFRESH),
        (CONFIGURATIONS[3], "hp_refresh"),
    ] {
        let app = App::start_with(change).await;
        let mut alice = app.signed_up(ALICE).await;
        let stale = alice.refresh_token();
        alice.refresh().await;
        app.advance(60 * SECOND);
        let good = alice.refresh_token();
        for (first, second) in [(&stale, &good), (&good, &stale)] {
            let line = format!("{name}={first}; {name}={second}");
            let request = app.post("/auth/refresh").header("cookie", &line);
            let answer = request.csrf(&alice.csrf()).send().await;
            // Within the grace period the second request gets the same successor again.
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        let line = format!("{name}=junk; {name}={good}");
        let request = app.post("/auth/refresh").header("cookie", &line);
        assert_eq!(request.csrf(&alice.csrf()).send().await.status, 200);
    }
}

#[tokio::test]
async fn refresh_cookies_of_different_sessions_are_refused() {
    let app = App::on_localhost().await;
    let alice = app.signed_up(ALICE).await;
    let bob = app.signed_up(BOB).await;
    let values = [alice.refresh_token(), bob.refresh_token()];
    for (first, second) in [(0, 1), (1, 0)] {
        let line = format!(
            "hp_refresh={}; hp_refresh={}",
            values[first], values[second]
        );
        for csrf in [alice.csrf(), bob.csrf()] {
            let request = app.post("/auth/refresh").header("cookie", &line);
            let answer = request
                .csrf(&csrf)
                .send()
                .await
                .expect(401, "token_invalid");
            assert_eq!(answer.cookies(), []);
        }
    }
    // Neither session has moved.
    for mut browser in [alice, bob] {
        browser.refresh().await;
    }
}

#[tokio::test]
async fn ck_10_a_percent_encoded_name_is_another_name() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await.access();
    let mallory = app.signed_up("mallory@example.test").await.access();
    let alias = "__%48ost-hp_access";
    for line in [
        format!("{ACCESS}={alice}; {alias}={mallory}"),
        format!("{alias}={mallory}; {ACCESS}={alice}"),
    ] {
        let answer = app.get("/auth/me").header("cookie", &line).send().await;
        assert_eq!(answer.json()["email"], ALICE);
    }
    let alone = app.get("/auth/me").cookie(alias, &mallory).send().await;
    alone.expect(401, "not_authenticated");
}

#[tokio::test]
async fn ck_13_three_hundred_neighbours_do_not_hide_a_cookie() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await;
    let flood: Vec<_> = (0..300).map(|number| format!("o{number}=1")).collect();
    let line = format!("{}; {ACCESS}={}", flood.join("; "), alice.access());
    let answer = app.get("/auth/me").header("cookie", &line).send().await;
    assert_eq!(
        (answer.status, &answer.json()["email"]),
        (200, &ALICE.into())
    );
    // A neighbour whose value is no text does not sign anyone out.
    let neighbour = [b"a=\xff\xfe; ".as_slice(), line.as_bytes()].concat();
    let answer = app.get("/auth/me").raw_header("cookie", &neighbour).send();
    assert_eq!(answer.await.status, 200);
}

#[tokio::test]
async fn ck_15_two_cookie_lines_that_disagree_are_refused() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await.access();
    let bob = app.signed_up(BOB).await.access();
    for (first, second) in [(&alice, &bob), (&bob, &alice)] {
        let request = app
            .get("/auth/me")
            .cookie(ACCESS, first)
            .cookie(ACCESS, second);
        request.send().await.expect(401, "token_malformed");
    }
    let request = app
        .get("/auth/me")
        .cookie(ACCESS, &alice)
        .cookie(ACCESS, &alice);
    assert_eq!(request.send().await.status, 200);
}

#[tokio::test]
async fn ck_16_a_quoted_token_is_no_token() {
    let app = App::start().await;
    let alice = app.signed_up(ALICE).await;
    let quoted = format!("\"{}\"", alice.access());
    for _ in 0..2 {
        let answer = app.get("/auth/me").cookie(ACCESS, &quoted).send().await;
        answer.expect(401, "token_malformed");
    }
    let quoted = format!("\"{}\"", alice.refresh_token());
    let refresh = app.post("/auth/refresh").cookie(REFRESH, &quoted);
    let answer = refresh.csrf(&alice.csrf()).send().await;
    answer.expect(401, "token_invalid");
}

#[tokio::test]
async fn two_values_of_a_host_cookie_are_refused_even_of_one_session() {
    let app = App::start().await;
    let mut alice = app.signed_up(ALICE).await;
    let older = alice.access();
    alice.refresh().await;
    for line in [
        format!("{ACCESS}={older}; {ACCESS}={}", alice.access()),
        format!("{ACCESS}={}; {ACCESS}={older}", alice.access()),
        format!("{ACCESS}={}; {ACCESS}=junk", alice.access()),
    ] {
        let answer = app.get("/auth/me").header("cookie", &line).send().await;
        answer.expect(401, "token_malformed");
    }
}
