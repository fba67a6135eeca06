//! What was revoked, asked for again and again: where no stream comes through.

use super::answer::{Line, body, is_of_type};
use super::feed::{FEED_LEN_MAX, More, Page};
use super::listen::{Ears, End, Ended, Fault};
use super::pace::Pace;
use super::state::Feed;
use reqwest::Method;
use reqwest::header::{ACCEPT, CACHE_CONTROL};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use url::Url;

/// Asks at `url` again and again `until` then.
pub(super) async fn follow(
    line: &Line,
    url: &Url,
    ears: &Ears,
    pace: &Pace,
    until: Instant,
) -> Ended {
    let mut complete_since = None;
    let why = loop {
        if Instant::now() >= until {
            break End::InTime;
        }
        let more = match timeout(pace.answer, ask(line, url, ears, pace)).await {
            Ok(Ok(more)) => more,
            Ok(Err(why)) => break why,
            Err(_) => break End::Broken(Fault::Late),
        };
        if more == More::No {
            complete_since.get_or_insert_with(|| {
                tracing::info!("no stream comes through: the issuer is asked again and again");
                Instant::now()
            });
            sleep(pace.poll).await;
        }
    };
    let lasted = complete_since.map_or(Duration::ZERO, |since| since.elapsed());
    Ended { why, lasted }
}

/// Asks once for what was revoked since the last time.
async fn ask(line: &Line, url: &Url, ears: &Ears, pace: &Pace) -> Result<More, End> {
    let asked_at = ears.now();
    let told = page(line, url, ears, pace).await?;
    if told.more == More::Yes && ears.state.cursor().as_ref() == Some(&told.cursor) {
        // It would tell the same for ever.
        return Err(End::Broken(Fault::Page));
    }
    ears.learn(&told.entries, told.kept);
    ears.state.came_to(told.cursor);
    if told.more == More::No {
        // The answer may have been on its way for a while: it is as old as the question.
        ears.state.heard(asked_at);
        ears.state.feeds(Feed::Polling);
    }
    Ok(told.more)
}

async fn page(line: &Line, url: &Url, ears: &Ears, pace: &Pace) -> Result<Page, End> {
    let mut url = url.clone();
    if let Some(cursor) = ears.state.cursor() {
        url.query_pairs_mut().append_pair("after", cursor.as_str());
    }
    let request = line
        .request(Method::GET, url)
        .header(ACCEPT, "application/json")
        .header(CACHE_CONTROL, "no-store")
        .timeout(pace.answer);
    let response = request.send().await.map_err(Fault::from)?;
    match response.status().as_u16() {
        200 => {}
        401 | 403 => return Err(End::Credentials),
        other => return Err(End::Broken(Fault::Status(other))),
    }
    if !is_of_type(&response, "application/json") {
        return Err(End::Broken(Fault::Page));
    }
    let text = body(response, FEED_LEN_MAX).await.ok_or(Fault::Page)?;
    Ok(Page::read(&text).map_err(Fault::from)?)
}
