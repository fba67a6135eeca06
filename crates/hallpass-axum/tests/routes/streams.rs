//! Streams over the listener: they live as long as both sides are there, and no longer.

use crate::common::{ALICE, App, NOW, SECOND, SERVICE_SECRET};
use hallpass_axum::serve::Server;
use hallpass_core::SeededRandom;
use hallpass_verify::Revoked;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// The app behind a listener.
struct Running {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

async fn serve(app: &App) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::new(app.router.clone(), &SeededRandom::new(1)).unwrap();
    let task = tokio::spawn(server.run(listener, async { drop(stopped.await) }));
    Running { addr, stop, task }
}

impl Running {
    /// Opens a stream of what is revoked.
    async fn open(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        let request = format!(
            "GET /auth/revocations HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\
             Authorization: Bearer {SERVICE_SECRET}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }
}

/// Reads until a text has come so many times.
async fn read_until(stream: &mut TcpStream, text: &str, times: usize) -> String {
    let mut read = String::new();
    let mut chunk = [0; 4096];
    while read.matches(text).count() < times {
        let len = stream.read(&mut chunk).await.unwrap();
        assert_ne!(len, 0, "closed after {read}");
        read.push_str(std::str::from_utf8(&chunk[..len]).unwrap());
    }
    read
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_says_nothing_but_that_it_is_there_lives_for_hours() {
    let app = App::start().await;
    let running = serve(&app).await;
    let mut stream = running.open().await;
    let began = Instant::now();
    let start = read_until(&mut stream, "event: live", 1).await;
    assert!(start.starts_with("HTTP/1.1 200 OK\r\n"), "{start}");
    assert!(start.contains("x-accel-buffering: no\r\n"), "{start}");
    let hours = 3;
    let heartbeats = hours * 3600 / 5;
    let silence = read_until(&mut stream, ": \n\n", heartbeats).await;
    assert!(!silence.contains("event:"), "{silence}");
    let took = began.elapsed().as_secs();
    assert!((10_800..10_830).contains(&took), "{took} s");
    // And it is still of use.
    let mut alice = app.signed_up(ALICE).await;
    let session = alice.session_id().await;
    let csrf = alice.csrf();
    alice.post("/auth/logout").csrf(&csrf).send().await;
    app.sync().await;
    let told = read_until(&mut stream, "]]", 1).await;
    assert!(told.contains(&session), "{told}");
}

#[tokio::test(start_paused = true)]
async fn ds_11_streams_end_at_once_when_the_listener_stops() {
    let app = App::start().await;
    let running = serve(&app).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        let mut stream = running.open().await;
        read_until(&mut stream, "event: live", 1).await;
        streams.push(stream);
    }
    let began = Instant::now();
    running.stop.send(()).unwrap();
    running.task.await.unwrap();
    let took = began.elapsed();
    assert!(took < SECOND, "{took:?}");
    for mut stream in streams {
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        // A proper end: nothing was cut off.
        assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
    }
}

#[tokio::test]
async fn a_client_that_goes_gives_its_stream_back() {
    let app = App::start().await;
    let running = serve(&app).await;
    let mut stream = running.open().await;
    read_until(&mut stream, "event: live", 1).await;
    let others = all_but_one(&app).await;
    assert!(is_full(&app).await);
    drop(stream);
    // The listener notices by itself.
    while is_full(&app).await {
        tokio::task::yield_now().await;
    }
    drop(others);
}

#[tokio::test(start_paused = true)]
async fn ds_02_a_client_that_takes_nothing_is_cut_off() {
    let app = App::start().await;
    let store = app.mount.hallpass().store();
    for number in 0..60_000 {
        let revoked = Revoked::Token(format!("{number:0>200}"));
        store.revoke(&revoked, NOW).await.unwrap();
    }
    app.sync().await;
    let running = serve(&app).await;
    let mut stream = running.open().await;
    // The beginning alone: 12 MB are on their way.
    let mut beginning = [0; 16];
    stream.read_exact(&mut beginning).await.unwrap();
    assert_eq!(&beginning, b"HTTP/1.1 200 OK\r");
    let others = all_but_one(&app).await;
    let began = Instant::now();
    assert!(is_full(&app).await);
    while is_full(&app).await {
        sleep(SECOND).await;
    }
    let took = began.elapsed();
    assert!(
        took > Duration::from_secs(25) && took < Duration::from_secs(35),
        "{took:?}"
    );
    drop((stream, others));
}

/// Opens as many streams as there may be, but for one.
async fn all_but_one(app: &App) -> Vec<crate::common::Events> {
    let mut open = Vec::new();
    for _ in 0..999 {
        open.push(app.get("/auth/revocations").service().open().await);
    }
    open
}

/// Tells whether there can be no further stream.
async fn is_full(app: &App) -> bool {
    let request = app.get("/auth/revocations").service();
    let request = request.header("accept", "text/event-stream");
    request.may_stay_open().send().await.status == 503
}
