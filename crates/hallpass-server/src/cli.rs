//! The command line.

use crate::config::{self, Config, ConfigFaults, Flag};
use crate::outcome::{Failure, say};
use crate::{demo, telemetry, users, wiring};
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
    /// End all sessions of a user, in every process on the same database
    EndSessions {
        /// Their e-mail address
        email: String,
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
    let config = load(&cli.options)?;
    let plan = config.check();
    if let Command::CheckConfig { .. } = cli.command {
        let plan = plan?;
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
            Command::CheckConfig { .. } => Ok(()),
        }
    })
}

fn load(options: &Options) -> Result<Config, ConfigFaults> {
    let flags: [Flag; 4] = [
        ("listen", "--listen", options.listen.clone()),
        ("data", "--data", options.data.clone()),
        ("public_url", "--public-url", options.public_url.clone()),
        ("database", "--database", options.database.clone()),
    ];
    config::load(options.config.as_deref(), &flags)
}
