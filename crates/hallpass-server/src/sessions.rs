//! Sessions, from the command line.

use crate::cli::SessionCommand;
use crate::config::Config;
use crate::outcome::{Failure, say};
use crate::table::{table, time};
use crate::{users, wiring};
use hallpass_core::session::{Device, Session};
use hallpass_core::{Error, Hallpass};
use hallpass_verify::SessionId;

/// Does what is asked for.
///
/// # Errors
/// When there is no such user or session, or the store fails.
pub(crate) async fn run(config: &Config, command: SessionCommand) -> Result<(), Failure> {
    let plan = config.check()?;
    let hallpass = wiring::start(config, &plan).await?;
    match command {
        SessionCommand::List { email } => list(&hallpass, &email).await,
        SessionCommand::End { id } => end(&hallpass, &id).await,
    }
}

async fn list(hallpass: &Hallpass, email: &str) -> Result<(), Failure> {
    let user = users::find(hallpass, email).await?;
    let sessions = hallpass.sessions(&user.id).await?;
    let head = ["ID", "OPENED", "USED", "EXPIRES", "ADDRESS", "USER AGENT"];
    say(table(head, &sessions.iter().map(row).collect::<Vec<_>>()));
    Ok(())
}

fn row(session: &Session) -> [String; 6] {
    let Device { ip, user_agent } = &session.device;
    [
        session.id.to_string(),
        time(session.created_at),
        time(session.rotated_at),
        time(session.refresh_expires_at()),
        ip.map(|ip| ip.to_string()).unwrap_or_default(),
        user_agent.clone().unwrap_or_default(),
    ]
}

async fn end(hallpass: &Hallpass, id: &str) -> Result<(), Failure> {
    let missing = "there is no live session of this id";
    let id: SessionId = SessionId::parse(id).map_err(|_| missing)?;
    let session = hallpass.store().session(&id).await?.ok_or(missing)?;
    match hallpass
        .end_own_session(&session.user, id, &Device::default())
        .await
    {
        Err(Error::NotFound) => return Err(missing.into()),
        ended => ended?,
    }
    say("ended the session: its tokens are refused, in other processes within a second");
    Ok(())
}
