use super::*;
use crate::remote::client::Trust;
use crate::remote::endpoints::{Issuer, PlainHttp};
use crate::remote::service::{Service, ServiceSecret};
use std::sync::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// An issuer that gives each request the same answer.
struct Answering {
    url: Url,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Answering {
    async fn with(answer: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let own = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let (answer, requests) = (answer.clone(), Arc::clone(&own));
                tokio::spawn(async move {
                    let mut bytes = vec![0; 65_536];
                    let mut text = String::new();
                    // The forms of these tests end with these characters.
                    while !text.ends_with("EndA") && !text.ends_with("access_token") {
                        let len = socket.read(&mut bytes).await.unwrap();
                        text.push_str(std::str::from_utf8(&bytes[..len]).unwrap());
                    }
                    requests.lock().unwrap().push(text);
                    socket.write_all(&answer).await.unwrap();
                    if answer.is_empty() {
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        Self {
            url: format!("http://{at}/auth/asked").parse().unwrap(),
            requests,
            task,
        }
    }

    async fn json(status: u16, body: &str) -> Self {
        Self::with(answer(status, "application/json", body)).await
    }

    fn asker(&self) -> Asker {
        let origin = self.url.origin().ascii_serialization();
        let issuer = Issuer::checked(&origin, PlainHttp::LoopbackOnly).unwrap();
        let client = Trust::default().client(issuer.url()).build().unwrap();
        let secret = ServiceSecret::new("hps_secret".into());
        let mut asker = Asker::new(Line::new(
            client,
            &Service::checked("orders", &secret).unwrap(),
        ));
        asker.answer_max = Duration::from_secs(20);
        asker
    }

    fn hasty_asker(&self) -> Asker {
        let mut asker = self.asker();
        asker.answer_max = Duration::from_millis(200);
        asker
    }

    async fn ask(&self) -> Result<Active, AskFault> {
        let token = AccessTokenText::new("a.b+c&d".into());
        self.asker().ask(&self.url, &token).await
    }

    async fn redeem(&self) -> Result<String, RedeemFault> {
        let token = self.asker().redeem(&self.url, &ticket()).await;
        token.map(|token| token.expose().to_owned())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn answer(status: u16, media_type: &str, body: &str) -> Vec<u8> {
    let len = body.len();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Type: {media_type}\r\nConnection: close");
    format!("{head}\r\nContent-Length: {len}\r\n\r\n{body}").into_bytes()
}

fn ticket() -> String {
    format!("hpt_{}EndA", "A".repeat(39))
}

#[tokio::test]
async fn the_issuer_says_whether_a_token_is_active() {
    for (body, expected) in [
        (r#"{"active":true}"#, Active::Yes),
        (
            r#"{"active":true,"sub":"alice","roles":["a"],"exp":1}"#,
            Active::Yes,
        ),
        (r#"{"active":false}"#, Active::No),
    ] {
        let issuer = Answering::json(200, body).await;
        assert_eq!(issuer.ask().await, Ok(expected));
        let requests = issuer.requests.lock().unwrap();
        let (head, form) = requests[0].split_once("\r\n\r\n").unwrap();
        let head = head.to_lowercase();
        assert!(head.starts_with("post /auth/asked http/1.1"), "{head}");
        assert!(
            head.contains("\r\nauthorization: basic b3jkzxjzomhwc19zzwnyzxq="),
            "{head}"
        );
        assert!(
            head.contains("\r\ncontent-type: application/x-www-form-urlencoded"),
            "{head}"
        );
        assert_eq!(form, "token=a.b%2Bc%26d&token_type_hint=access_token");
    }
}

#[tokio::test]
async fn os_02_what_is_no_answer_is_never_active() {
    let long = format!(r#"{{"active":true,"x":"{}"}}"#, "x".repeat(70_000));
    for (status, body, expected) in [
        (200, "", AskFault::Answer),
        (200, "{}", AskFault::Answer),
        (200, "true", AskFault::Answer),
        (200, r#"{"active":"true"}"#, AskFault::Answer),
        (200, r#"{"active":1}"#, AskFault::Answer),
        (200, r#"{"active":null}"#, AskFault::Answer),
        (200, r#"{"active":false,"active":true}"#, AskFault::Answer),
        (200, r#"{"active":true"#, AskFault::Answer),
        (200, &long, AskFault::Answer),
        (201, r#"{"active":true}"#, AskFault::Answer),
        (302, r#"{"active":true}"#, AskFault::Answer),
        (400, r#"{"active":true}"#, AskFault::Answer),
        (404, r#"{"active":true}"#, AskFault::Answer),
        (401, r#"{"active":true}"#, AskFault::Credentials),
        (403, r#"{"active":true}"#, AskFault::Credentials),
        (429, r#"{"active":true}"#, AskFault::Unreachable),
        (503, r#"{"active":true}"#, AskFault::Unreachable),
    ] {
        let issuer = Answering::json(status, body).await;
        assert_eq!(issuer.ask().await, Err(expected), "{status} {body:.40}");
    }
    for (status, expected) in [(200, AskFault::Answer), (502, AskFault::Unreachable)] {
        let page = answer(status, "text/html", r#"{"active":true}"#);
        assert_eq!(Answering::with(page).await.ask().await, Err(expected));
    }
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_is_unreachable_in_time() {
    let silent = Answering::with(Vec::new()).await;
    let token = AccessTokenText::new("t".into());
    let answer = silent.hasty_asker().ask(&silent.url, &token).await;
    assert_eq!(answer, Err(AskFault::Unreachable));
    let half = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{";
    let half = Answering::with(half.to_vec()).await;
    assert_eq!(half.ask().await, Err(AskFault::Answer));
    let closed = Answering::json(200, "{}").await;
    closed.task.abort();
    let closed_url = closed.url.clone();
    let asker = closed.asker();
    let is_closed = async {
        while tokio::net::TcpStream::connect(("127.0.0.1", closed_url.port().unwrap()))
            .await
            .is_ok()
        {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), is_closed).await.unwrap();
    assert_eq!(
        asker.ask(&closed_url, &token).await,
        Err(AskFault::Unreachable)
    );
}

#[tokio::test]
async fn only_so_many_questions_are_on_their_way_at_once() {
    let issuer = Answering::with(Vec::new()).await;
    let asker = issuer.asker();
    let mut questions = tokio::task::JoinSet::new();
    for _ in 0..QUESTIONS_MAX * 2 {
        let (asker, url) = (asker.clone(), issuer.url.clone());
        questions.spawn(async move { asker.ask(&url, &AccessTokenText::new("t".into())).await });
    }
    let on_their_way = || issuer.requests.lock().unwrap().len();
    let all_that_may = async {
        while on_their_way() < QUESTIONS_MAX {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(10), all_that_may)
        .await
        .unwrap();
    assert_eq!(asker.turns.available_permits(), 0);
    assert_eq!(on_their_way(), QUESTIONS_MAX);
    questions.shutdown().await;
    assert_eq!(asker.turns.available_permits(), QUESTIONS_MAX);
}

#[tokio::test]
async fn a_ticket_becomes_the_token_it_stands_for() {
    let body = r#"{"access_token":"a.b.c","token_type":"Bearer","expires_in":600}"#;
    let issuer = Answering::json(200, body).await;
    assert_eq!(issuer.redeem().await, Ok("a.b.c".into()));
    let requests = issuer.requests.lock().unwrap();
    assert!(requests[0].ends_with(&format!("\r\n\r\nticket={}", ticket())));
}

#[tokio::test]
async fn a_ticket_that_is_not_good_is_told_from_an_issuer_that_cannot_be_asked() {
    for (status, body, expected) in [
        (401, r#"{"code":"token_invalid"}"#, RedeemFault::Refused),
        (
            401,
            r#"{"code":"invalid_client"}"#,
            AskFault::Credentials.into(),
        ),
        (401, "{}", AskFault::Credentials.into()),
        (401, "", AskFault::Credentials.into()),
        (200, "{}", AskFault::Answer.into()),
        (200, r#"{"active":false}"#, AskFault::Answer.into()),
        (200, r#"{"access_token":7}"#, AskFault::Answer.into()),
        (404, r#"{"code":"token_invalid"}"#, AskFault::Answer.into()),
        (
            503,
            r#"{"code":"token_invalid"}"#,
            AskFault::Unreachable.into(),
        ),
    ] {
        let issuer = Answering::json(status, body).await;
        assert_eq!(issuer.redeem().await, Err(expected), "{status} {body}");
    }
    let problem = answer(
        401,
        "application/problem+json",
        r#"{"code":"token_invalid"}"#,
    );
    let issuer = Answering::with(problem).await;
    assert_eq!(issuer.redeem().await, Err(RedeemFault::Refused));
}

#[tokio::test]
async fn junk_that_is_no_ticket_costs_no_request() {
    let issuer = Answering::json(200, "{}").await;
    let asker = issuer.asker();
    let good = ticket();
    for junk in [
        "",
        "hpt_",
        "a.b.c",
        &good.replace("hpt_", "hps_"),
        &good[..46],
        &format!("{good}A"),
        &format!("{good}="),
        &good.replace("AAAA", "AA+A"),
        &good.replace("AAAA", "AA%A"),
    ] {
        let refused = asker.redeem(&issuer.url, junk).await.err();
        assert_eq!(refused, Some(RedeemFault::Refused), "{junk}");
    }
    assert!(issuer.requests.lock().unwrap().is_empty());
}
