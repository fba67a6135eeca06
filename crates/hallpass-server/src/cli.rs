//! The command line.

use crate::config::{self, Config, ConfigFaults, Flag};
use crate::outcome::{Failure, say};
use crate::{demo, keys, services, sessions, telemetry, users, wiring};
use clap::{Args, Parser, Subcommand};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Authentication as a server you run.
#[derive(Parser, Debug)]
#[command(name = "hallpass", version, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args, Debug)]
struct Options {
    /// The configuration file [default: hallpass.toml, if there is one]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", global = true)]
    listen: Option<String>,
    /// The directory of the database and the master secret [default: hallpass-data]
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<String>,
    /// The URL under which users reach the program
    #[arg(long, value_name = "URL", global = true)]
    public_url: Option<String>,
    /// The database, such as `sqlite:///var/lib/hallpass.db`
    #[arg(long, value_name = "URL", global = true)]
    database: Option<String>,
    /// Whose names and shapes clients expect: `native`, `authfort`, `fastauth` or `bluefox`
    #[arg(long, value_name = "NAME", global = true)]
    profile: Option<String>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Serve the routes
    Serve,
    /// Serve them with demo pages, a sample user and an attacker's page, on this machine only
    Demo,
    /// Say what would be refused, and start nothing
    CheckConfig {
        /// Print every setting with its default instead, as Markdown
        #[arg(long)]
        list: bool,
    },
    /// Add and list users, end their sessions
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// List and end sessions
    Session {
        #[command(subcommand)]
        command: SessionCommand,
    },
    /// List, rotate, revoke and import signing keys
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Let services ask about tokens
    Service {
        #[command(subcommand)]
        command: ServiceCommand,
    },
}

/// What can be done about users.
#[derive(Subcommand, Debug)]
pub(crate) enum UserCommand {
    /// Add a user; the password is asked for, or read from standard input
    Add {
        /// Their e-mail address
        email: String,
        /// What they are called
        #[arg(long)]
        name: Option<String>,
        /// A role of theirs; may be repeated
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
    },
    /// List all users
    List,
    /// Replace the roles of a user
    Roles {
        /// Their e-mail address
        email: String,
        /// A role; what is not named is taken away
        #[arg(value_name = "ROLE", required_unless_present = "none")]
        roles: Vec<String>,
        /// Take all roles away
        #[arg(long, conflicts_with = "roles")]
        none: bool,
    },
    /// End all sessions of a user, in every process on the same database
    EndSessions {
        /// Their e-mail address
        email: String,
    },
}

/// What can be done about sessions.
#[derive(Subcommand, Debug)]
pub(crate) enum SessionCommand {
    /// List the live sessions of a user
    List {
        /// Their e-mail address
        email: String,
    },
    /// End a session, in every process on the same database
    End {
        // A random id may begin with a hyphen.
        /// Its id, as `hallpass session list` shows it
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
}

/// What can be done about signing keys.
#[derive(Subcommand, Debug)]
pub(crate) enum KeyCommand {
    /// List all keys, and where each stands
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Announce the next key now; it signs when every service can know it
    Rotate,
    /// Refuse from now on whatever a key has signed, everywhere: for a key that others may have
    Revoke {
        // A random name may begin with a hyphen.
        /// The name of the key, as `hallpass key list` shows it
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// Add a private key that was made elsewhere, announced like any other
    Import {
        /// A PEM file (PKCS#8, SEC 1, PKCS#1) or a JWK; `-` reads standard input
        file: PathBuf,
    },
    /// Seal every key with the master secret of now, so that former ones can be thrown away
    Reseal,
}

/// What can be done about services.
#[derive(Subcommand, Debug)]
pub(crate) enum ServiceCommand {
    /// Draw the secret of a service, and print it once, with the line for the configuration
    New {
        /// What the service is called: letters, digits, `-`, `_` and `.`
        name: String,
    },
}

/// Does what the command line asks for.
pub(crate) fn run() -> ExitCode {
    // Ends the process by itself, code 2, when the command line is wrong.
    let cli = Cli::parse();
    match execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let code = if matches!(failure, Failure::Usage(_)) {
                2
            } else {
                1
            };
            let mut stderr = std::io::stderr().lock();
            for line in failure.to_string().lines() {
                // Nowhere is left to complain about a closed standard error.
                let _ = writeln!(stderr, "hallpass: {line}");
            }
            ExitCode::from(code)
        }
    }
}

fn execute(cli: Cli) -> Result<(), Failure> {
    if let Command::CheckConfig { list: true } = cli.command {
        say(config::reference().trim_end());
        return Ok(());
    }
    if let Command::Service { command } = cli.command {
        return services::run(&command);
    }
    let config = load(&cli.options)?;
    let plan = config.check();
    if let Command::CheckConfig { .. } = cli.command {
        let plan = plan?;
        for warning in &plan.warnings {
            say(format_args!("warning: {warning}"));
        }
        say(format_args!(
            "the configuration is fine: {}",
            plan.web.settings().public_url
        ));
        return Ok(());
    }
    plan?;
    telemetry::start(&config.log);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve => wiring::serve(&config).await,
            Command::Demo => demo::serve(config).await,
            Command::User { command } => users::run(&config, command).await,
            Command::Session { command } => sessions::run(&config, command).await,
            Command::Key { command } => keys::run(&config, command).await,
            Command::CheckConfig { .. } | Command::Service { .. } => Ok(()),
        }
    })
}

fn load(options: &Options) -> Result<Config, ConfigFaults> {
    let flags: [Flag; 5] = [
        ("listen", "--listen", options.listen.clone()),
        ("data", "--data", options.data.clone()),
        ("public_url", "--public-url", options.public_url.clone()),
        ("database", "--database", options.database.clone()),
        ("profile", "--profile", options.profile.clone()),
    ];
    config::load(options.config.as_deref(), &flags)
}
