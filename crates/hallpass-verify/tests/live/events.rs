//! How event streams begin and end.

use crate::issuer::{ALICE, FOREIGN, OWN, TRUSTED, cookies};
use crate::support::{App, TTL, app, fresh};
use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::response::Response;
use axum::response::sse::Event;
use axum::routing::any;
use futures_util::{StreamExt as _, stream};
use hallpass_verify::live::Live;
use http::{HeaderMap, Request};
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tower::ServiceExt as _;

/// Counts, once every ten seconds; the heartbeats are every fifteen.
async fn ticks(live: Live) -> Response {
    let ticks = stream::unfold(1_u32, async |count| {
        sleep(Duration::from_secs(if count == 1 { 0 } else { 40 })).await;
        let event = Event::default()
            .id(count.to_string())
            .data(count.to_string());
        Some((Ok::<_, Infallible>(event), count + 1))
    });
    live.events(Box::pin(ticks))
}

async fn short(live: Live) -> Response {
    live.events(stream::iter([Ok::<_, Infallible>(
        Event::default().data("only"),
    )]))
}

struct Stream {
    headers: HeaderMap,
    body: BodyDataStream,
}

impl Stream {
    async fn next(&mut self) -> Option<String> {
        let chunk = self.body.next().await?.unwrap();
        Some(String::from_utf8(chunk.to_vec()).unwrap())
    }
}

async fn opened(app: &App, request: &str, lines: &[(&str, &str)]) -> Result<Stream, (u16, String)> {
    let router = Router::new()
        .route("/ticks", any(ticks))
        .route("/short", any(short))
        .layer(app.layer.clone());
    let (method, target) = request.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in lines {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
    if parts.status == 200 {
        let headers = parts.headers;
        return Ok(Stream {
            headers,
            body: body.into_data_stream(),
        });
    }
    let body = axum::body::to_bytes(body, 10_000).await.unwrap();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    Err((
        parts.status.as_u16(),
        problem["code"].as_str().unwrap().to_owned(),
    ))
}

async fn ticks_of_alice(app: &App) -> Stream {
    let bearer = format!("Bearer {}", fresh(ALICE, app));
    opened(app, "GET /ticks", &[("authorization", &bearer)])
        .await
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_its_session_and_says_so() {
    let app = app();
    let mut stream = ticks_of_alice(&app).await;
    assert_eq!(stream.next().await.as_deref(), Some("id: 1\ndata: 1\n\n"));
    let reading = tokio::spawn(async move {
        let mut all = Vec::new();
        while let Some(chunk) = stream.next().await {
            all.push(chunk);
        }
        (all, Instant::now())
    });
    sleep(Duration::from_secs(20)).await;
    let told = Instant::now();
    app.end(ALICE.session());
    let (all, ended) = reading.await.unwrap();
    assert_eq!(
        all,
        [
            ":\n\n",
            "event: hallpass\ndata: {\"code\":\"session_ended\"}\n\n"
        ]
    );
    assert!(
        ended - told < Duration::from_millis(10),
        "{:?}",
        ended - told
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_its_token_and_says_so() {
    let app = app();
    let opened = Instant::now();
    let mut stream = ticks_of_alice(&app).await;
    let mut last = String::new();
    while let Some(chunk) = stream.next().await {
        last = chunk;
    }
    assert_eq!(
        last,
        "event: hallpass\ndata: {\"code\":\"token_expired\"}\n\n"
    );
    assert_eq!(opened.elapsed().as_secs(), TTL + 10);
}

#[tokio::test(start_paused = true)]
async fn what_is_ready_after_the_end_is_not_sent() {
    let app = app();
    let bearer = format!("Bearer {}", fresh(ALICE, &app));
    let lines = [("authorization", bearer.as_str())];
    let mut stream = opened(&app, "GET /short", &lines).await.unwrap();
    app.end(ALICE.session());
    let last = "event: hallpass\ndata: {\"code\":\"session_ended\"}\n\n";
    assert_eq!(stream.next().await.as_deref(), Some(last));
    assert_eq!(stream.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_finished_ends_without_a_word() {
    let app = app();
    let bearer = format!("Bearer {}", fresh(ALICE, &app));
    let lines = [("authorization", bearer.as_str())];
    let mut stream = opened(&app, "GET /short", &lines).await.unwrap();
    assert_eq!(stream.next().await.as_deref(), Some("data: only\n\n"));
    assert_eq!(stream.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_stored_and_buffered_by_nobody_and_gives_signs_of_life() {
    let app = app();
    let mut stream = ticks_of_alice(&app).await;
    let header = |name| {
        stream
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap())
    };
    assert_eq!(header("content-type"), Some("text/event-stream"));
    assert_eq!(header("cache-control"), Some("no-store"));
    assert_eq!(header("x-accel-buffering"), Some("no"));
    stream.next().await;
    let (since, mut beats) = (Instant::now(), 0);
    while stream.next().await.unwrap() == ":\n\n" {
        beats += 1;
    }
    assert_eq!((beats, since.elapsed().as_secs()), (2, 40));
}

#[tokio::test(start_paused = true)]
async fn cs_24_a_page_of_a_foreign_origin_cannot_open_a_stream_with_our_cookie() {
    let app = app();
    let cookie = cookies(&[&fresh(ALICE, &app)]);
    let cookie = ("cookie", cookie.as_str());
    let denied = Some((403, "origin_denied".to_owned()));
    let mut attempts = vec![vec![]];
    for origin in [FOREIGN, "null", "https://evil.app.example.test"] {
        attempts.push(vec![("origin", origin)]);
        for site in ["cross-site", "same-site"] {
            attempts.push(vec![("origin", origin), ("sec-fetch-site", site)]);
        }
    }
    attempts.push(vec![("sec-fetch-site", "cross-site")]);
    attempts.push(vec![("sec-fetch-site", "same-site")]);
    attempts.push(vec![("referer", "https://evil.test/page")]);
    for mut lines in attempts {
        lines.push(cookie);
        // Whatever it says that it wants.
        for accept in ["text/event-stream", "*/*"] {
            let lines = [lines.as_slice(), &[("accept", accept)]].concat();
            assert_eq!(
                opened(&app, "GET /ticks", &lines).await.err(),
                denied,
                "{lines:?}"
            );
        }
    }
    let csrf = ALICE.csrf();
    for (lines, code) in [
        (vec![], "origin_denied"),
        (vec![("origin", OWN)], "csrf_missing"),
        (
            vec![("origin", FOREIGN), ("x-csrf-token", &csrf)],
            "origin_denied",
        ),
    ] {
        let lines = [lines.as_slice(), &[cookie]].concat();
        let refused = opened(&app, "POST /ticks", &lines).await.err();
        assert_eq!(refused, Some((403, code.to_owned())), "{lines:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn our_pages_open_streams_as_browsers_do() {
    let app = app();
    let cookie = cookies(&[&fresh(ALICE, &app)]);
    let cookie = ("cookie", cookie.as_str());
    for lines in [
        vec![("sec-fetch-site", "same-origin")],
        vec![("referer", "https://app.example.test/page")],
        vec![("origin", TRUSTED), ("sec-fetch-site", "cross-site")],
    ] {
        let lines = [lines.as_slice(), &[cookie]].concat();
        let mut stream = opened(&app, "GET /ticks", &lines)
            .await
            .unwrap_or_else(|refused| panic!("{lines:?}: {refused:?}"));
        assert!(stream.next().await.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_ticket_opens_a_stream_once() {
    let app = app();
    let ticket = app.drawer.ticket_for(fresh(ALICE, &app));
    let request = format!("GET /ticks?ticket={ticket}");
    assert!(opened(&app, &request, &[]).await.is_ok());
    let again = opened(&app, &request, &[]).await.err();
    assert_eq!(again, Some((401, "token_invalid".to_owned())));
}
