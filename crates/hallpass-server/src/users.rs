//! Users, from the command line.

use crate::cli::UserCommand;
use crate::config::Config;
use crate::outcome::{Failure, say};
use crate::wiring;
use hallpass_core::session::Device;
use hallpass_core::user::{Email, NAME_LEN_MAX, PASSWORD_LEN_MAX, Password, User};
use hallpass_core::{Hallpass, SignUp};
use std::io::{BufRead as _, IsTerminal as _, Read as _};
use zeroize::Zeroizing;

/// How many users are read at once.
const PAGE_LEN: u32 = 500;

/// Does what is asked for.
///
/// # Errors
/// When the address or the password is refused, or the store fails.
pub(crate) async fn run(config: &Config, command: UserCommand) -> Result<(), Failure> {
    let plan = config.check()?;
    let hallpass = wiring::start(config, &plan).await?;
    match command {
        UserCommand::Add { email, name, roles } => add(&hallpass, &email, name, roles).await,
        UserCommand::List => list(&hallpass).await,
        UserCommand::Roles { email, roles, .. } => replace_roles(&hallpass, &email, roles).await,
        UserCommand::EndSessions { email } => end_sessions(&hallpass, &email).await,
    }
}

async fn add(
    hallpass: &Hallpass,
    email: &str,
    name: Option<String>,
    roles: Vec<String>,
) -> Result<(), Failure> {
    let email = Email::parse(email)?;
    if name.as_ref().is_some_and(|name| name.len() > NAME_LEN_MAX) {
        return Err(format!("expected a name of at most {NAME_LEN_MAX} bytes").into());
    }
    let password = Password::chosen(&ask_password()?)?;
    let user = SignUp {
        email,
        password,
        name,
        roles,
    };
    let user = hallpass.add_user(user, &Device::default()).await?;
    say(format_args!("added {}", line(&user)));
    Ok(())
}

async fn list(hallpass: &Hallpass) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let users = hallpass.store().users(after.as_ref(), PAGE_LEN).await?;
        for user in &users {
            say(line(user));
        }
        let Some(last) = users.last() else {
            return Ok(());
        };
        after = Some(last.id.clone());
    }
}

async fn replace_roles(
    hallpass: &Hallpass,
    email: &str,
    roles: Vec<String>,
) -> Result<(), Failure> {
    let user = find(hallpass, email).await?;
    hallpass
        .set_roles(&user.id, &roles, &Device::default())
        .await?;
    say(line(&User { roles, ..user }));
    say("introspection says so at once, access tokens from the next refresh on");
    Ok(())
}

async fn end_sessions(hallpass: &Hallpass, email: &str) -> Result<(), Failure> {
    let user = find(hallpass, email).await?;
    let ended = hallpass
        .end_sessions(&user.id, None, &Device::default())
        .await?;
    say(format_args!("ended {ended} sessions"));
    Ok(())
}

/// Returns the user with this e-mail address.
pub(crate) async fn find(hallpass: &Hallpass, email: &str) -> Result<User, Failure> {
    let email = Email::parse(email)?;
    let found = hallpass.store().credentials(&email.key()).await?;
    Ok(found
        .ok_or("there is no user with this e-mail address")?
        .user)
}

/// One line for a user. What they chose themselves cannot steer the terminal.
fn line(user: &User) -> String {
    let name = user.name.as_deref().unwrap_or_default().escape_debug();
    let roles = user.roles.join(",");
    let email = user.email.as_str().escape_debug();
    format!("{}\t{email}\t{name}\t{}", user.id, roles.escape_debug())
}

/// Asks at a terminal, unseen; otherwise takes the first line of standard input. Never an argument:
/// those are in the list of processes and in the history of the shell.
fn ask_password() -> Result<Zeroizing<String>, Failure> {
    if std::io::stdin().is_terminal() {
        let first = Zeroizing::new(rpassword::prompt_password("Password: ")?);
        let second = Zeroizing::new(rpassword::prompt_password("Again: ")?);
        return if first == second {
            Ok(first)
        } else {
            Err("the passwords differ".into())
        };
    }
    let mut text = Zeroizing::new(String::new());
    let len_max = u64::try_from(PASSWORD_LEN_MAX + 2).unwrap_or(u64::MAX);
    std::io::stdin().lock().take(len_max).read_line(&mut text)?;
    Ok(Zeroizing::new(
        text.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}
