//! What a stream that works does.
use super::*;

#[tokio::test]
async fn an_ended_session_is_refused_without_a_request() {
    let issuer = Issuer::start(WELL).await;
    let service = Listening::to(&issuer);
    until("live", || service.is_current()).await;
    let (ended, other) = (token(session(1), "a"), token(session(2), "b"));
    assert_eq!((service.fault(&ended), service.fault(&other)), (None, None));
    issuer.revoke([end(1)]);
    until("refused", || service.fault(&ended).is_some()).await;
    assert_eq!(service.fault(&ended), Some(TokenError::SessionEnded));
    assert_eq!(service.fault(&other), None);
    assert_eq!(issuer.requests().len(), 1);
}

#[tokio::test]
async fn tokens_users_and_keys_are_refused_too() {
    let issuer = Issuer::start(WELL).await;
    let service = Listening::to(&issuer);
    until("live", || service.is_current()).await;
    let token = token(session(1), "jti-1");
    assert_eq!(service.fault(&token), None);
    issuer.revoke([
        format!(r#"["t","jti-1",{NOW}]"#),
        format!(r#"["u","bob",{NOW}]"#),
    ]);
    until("refused", || {
        service.fault(&token) == Some(TokenError::Invalid)
    })
    .await;
    assert_eq!(service.ears.verifier.revocations().len(), 2);
    assert_eq!(service.keys_asked.load(Ordering::SeqCst), 0);
    issuer.revoke([format!(r#"["k","ed-1",{NOW}]"#)]);
    until("withdrawn", || {
        service.fault(&token) == Some(TokenError::NoKeys)
    })
    .await;
    until("keys asked", || {
        service.keys_asked.load(Ordering::SeqCst) == 1
    })
    .await;
}

#[tokio::test]
async fn a_verifier_is_not_current_before_it_knows_all_that_was_revoked() {
    let issuer = Issuer::start(Mode::NeverLive).await;
    let service = Listening::to(&issuer);
    until("connected", || issuer.requests().len() == 1).await;
    assert!(!service.is_current());
    assert_eq!(service.status().feed, Feed::Down);
    issuer.revoke((0..10).map(end));
    issuer.turn(WELL);
    until("live", || service.is_current()).await;
    assert!((0..10).all(|number| service.knows(number)));
    let status = service.status();
    assert_eq!(status.feed, Feed::Stream);
    assert_eq!(status.cursor.as_deref(), Some("10"));
    assert_eq!(status.heard_at, Some(service.clock.now()));
    assert_eq!(status.lag, None);
}

#[tokio::test]
async fn the_issuer_is_asked_as_agreed() {
    let issuer = Issuer::start(WELL).await;
    let service = Listening::to(&issuer);
    until("live", || service.is_current()).await;
    let first = &issuer.requests()[0];
    assert!(
        first.0.starts_with("GET /auth/revocations HTTP/1.1\r\n"),
        "{first:?}"
    );
    assert_eq!(first.header("accept"), Some("text/event-stream"));
    // "orders:hps_secret".
    assert_eq!(
        first.header("authorization"),
        Some("Basic b3JkZXJzOmhwc19zZWNyZXQ=")
    );
    assert_eq!(first.header("last-event-id"), None);
    assert_eq!(first.header("accept-encoding"), None);
}

#[tokio::test]
async fn a_broken_stream_goes_on_where_it_came_to_and_misses_nothing() {
    let issuer = Issuer::start(Mode::Stream { events_max: 2 }).await;
    issuer.revoke((0..40).map(end));
    let service = Listening::to(&issuer);
    until("caught up", || service.is_current()).await;
    issuer.revoke((40..60).map(end));
    until("told", || service.knows(59)).await;
    assert!((0..60).all(|number| service.knows(number)));
    assert_eq!(service.ears.verifier.revocations().len(), 60);
    // Two events of three entries each: no stream began before the end of the one before it.
    let cursors: Vec<_> = issuer
        .requests()
        .iter()
        .map(|request| {
            request
                .header("last-event-id")
                .unwrap_or("0")
                .parse()
                .unwrap()
        })
        .collect();
    let goes_on = |pair: &[u64]| (pair[0]..=pair[0] + 6).contains(&pair[1]);
    assert!(cursors.windows(2).all(goes_on), "{cursors:?}");
    assert!(cursors.len() >= 10, "{cursors:?}");
}

#[tokio::test]
async fn half_an_event_is_not_applied() {
    let issuer = Issuer::start(Mode::Stream { events_max: 1 }).await;
    let service = Listening::to(&issuer);
    until("tried again", || issuer.requests().len() > 3).await;
    assert!(service.ears.verifier.revocations().is_empty());
    assert_eq!(service.status().cursor.as_deref(), Some("0"));
}

#[tokio::test]
async fn what_is_told_twice_is_known_once_and_kept_as_long() {
    let issuer = Issuer::start(WELL).await;
    issuer.revoke([end(1), end(1), end(2)]);
    let service = Listening::to(&issuer);
    until("live", || service.is_current()).await;
    issuer.revoke([end(1), end(3)]);
    until("told", || service.knows(3)).await;
    let revocations = service.ears.verifier.revocations();
    assert_eq!(revocations.len(), 3);
    // What the issuer says, and our own leeway.
    service.clock.advance(Duration::from_secs(920 + 10));
    service.swept().await;
    assert!(service.knows(1));
    service.clock.advance(Duration::from_secs(1));
    until("forgotten", || revocations.is_empty()).await;
}

#[tokio::test]
async fn an_ended_session_stays_refused_for_as_long_as_our_own_leeway_lets_its_tokens_live() {
    let issuer = Issuer::start(WELL).await;
    let mut settings = VerifierSettings::new("https://auth.example", "https://api.example");
    settings.leeway = Duration::from_mins(1);
    let service = Listening::of(verifier_with(settings), &issuer, pace());
    let ended = token(session(1), "a");
    issuer.revoke([end(1)]);
    until("refused", || {
        service.fault(&ended) == Some(TokenError::SessionEnded)
    })
    .await;
    // Good for 900 s and 60 s of leeway. The issuer, with 10 s of leeway, says to keep 920 s.
    service.clock.advance(Duration::from_mins(16));
    service.swept().await;
    assert_eq!(service.fault(&ended), Some(TokenError::SessionEnded));
}

#[tokio::test]
async fn a_verifier_is_current_up_to_the_bound_and_again_when_it_hears() {
    let issuer = Issuer::start(WELL).await;
    let service = Listening::to(&issuer);
    until("live", || service.is_current()).await;
    service.clock.advance(BOUND);
    assert!(service.is_current());
    issuer.beat();
    until("heard", || {
        service.status().heard_at == Some(service.clock.now())
    })
    .await;
    service.clock.advance(BOUND + Duration::from_millis(1));
    assert!(!service.is_current());
    issuer.beat();
    until("current again", || service.is_current()).await;
    assert_eq!(issuer.requests().len(), 1);
}

#[tokio::test]
async fn the_beginning_of_a_line_makes_nobody_current() {
    let issuer = Issuer::start(WELL).await;
    let service = Listening::to(&issuer);
    until("live", || service.is_current()).await;
    service.clock.advance(BOUND + Duration::from_secs(1));
    issuer.say("event: revoked\nid: 1\nda");
    until("heard", || service.is_current()).await;
    let before = service.status().heard_at;
    service.clock.advance(BOUND + Duration::from_secs(1));
    issuer.say("ta: ");
    for _ in 0..10 {
        service.swept().await;
        assert_eq!(service.status().heard_at, before);
        issuer.say(" ");
    }
    issuer.say("[]\n\n");
    until("heard", || service.is_current()).await;
    assert_eq!(service.status().cursor.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_broken_connection_leaves_it_stale_and_a_new_one_makes_it_current() {
    let issuer = Issuer::start(WELL).await;
    let service = Listening::to(&issuer);
    until("live", || service.is_current()).await;
    issuer.turn(Mode::Raw(Vec::new()));
    until("broken", || service.status().feed == Feed::Down).await;
    assert!(service.is_current());
    service.clock.advance(BOUND + Duration::from_secs(1));
    assert!(!service.is_current());
    issuer.revoke([end(7)]);
    issuer.turn(WELL);
    until("current again", || service.is_current()).await;
    assert!(service.knows(7));
    assert!(service.status().reconnects >= 1);
}

#[tokio::test]
async fn a_silent_stream_is_left_after_three_heartbeats() {
    let issuer = Issuer::start(WELL).await;
    let service = Listening::to(&issuer);
    until("live", || service.is_current()).await;
    // From here on time passes as fast as everyone waits.
    tokio::time::pause();
    let began = Instant::now();
    until("left", || service.status().reconnects == 1).await;
    let waited = began.elapsed();
    tokio::time::resume();
    assert!((14..17).contains(&waited.as_secs()), "{waited:?}");
    until("live again", || service.status().feed == Feed::Stream).await;
}

#[tokio::test]
async fn a_stream_is_made_anew_when_its_time_is_over_without_a_fault() {
    let issuer = Issuer::start(WELL).await;
    let life = Pace {
        stream_life: Duration::from_millis(20),
        ..pace()
    };
    let service = Listening::with(&issuer, life);
    until("made anew", || issuer.requests().len() > 3).await;
    assert_eq!(service.status().reconnects, 0);
}

#[tokio::test]
async fn a_hundred_verifiers_learn_of_one_end() {
    let issuer = Issuer::start(WELL).await;
    let services: Vec<_> = (0..100).map(|_| Listening::to(&issuer)).collect();
    until("all live", || services.iter().all(Listening::is_current)).await;
    issuer.revoke([end(1)]);
    until("all told", || {
        services.iter().all(|service| service.knows(1))
    })
    .await;
    assert_eq!(issuer.requests().len(), 100);
}

#[tokio::test]
async fn a_dropped_listener_closes_its_connection_and_says_so() {
    let issuer = Issuer::start(WELL).await;
    let service = Listening::to(&issuer);
    until("live", || service.is_current()).await;
    service.task.abort();
    until("down", || service.status().feed == Feed::Down).await;
    until("dropped", || Arc::strong_count(&service.ears.state) == 1).await;
}

#[tokio::test]
async fn it_waits_until_it_is_known_where_to_listen() {
    let issuer = Issuer::start(WELL).await;
    let known = watch::Sender::new(None);
    let model = Listening::to(&issuer);
    let mut ears = model.ears.clone();
    ears.state = Arc::new(RevocationState::new(BOUND));
    let listener = Listener {
        line: line(&issuer.url),
        endpoint: known.subscribe(),
        ears: ears.clone(),
        pace: pace(),
    };
    let task = tokio::spawn(listener.run());
    until("the other is live", || model.is_current()).await;
    assert_eq!(ears.state.status().heard_at, None);
    known.send_replace(Some(issuer.url.clone()));
    until("live", || ears.state.status().heard_at.is_some()).await;
    task.abort();
}
