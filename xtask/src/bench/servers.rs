//! The servers that are measured, built as they are released.

use super::http::Connection;
use super::issuer::{Credentials, SERVICE};
use super::load::get;
use super::process::{Server, free_address};
use crate::machine;
use crate::steps::{self, Stop, cargo};
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long it may take until a service hears of what is revoked.
const CURRENT_MAX: Duration = Duration::from_secs(20);

/// Where the built programs are.
pub(crate) struct Programs {
    hello: PathBuf,
    app: PathBuf,
    pub(crate) program: PathBuf,
    service: PathBuf,
    pub(crate) verifiers: PathBuf,
}

/// Whether services far from the issuer are measured too: they are built for that alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Services {
    Measured,
    LeftOut,
}

impl Programs {
    /// Builds them.
    pub(crate) fn build(services: Services) -> Result<Self, Stop> {
        let release = ["build", "--release", "--locked", "--package"];
        let program = [&release[..], &["hallpass-server"]].concat();
        steps::run("build the program", &mut cargo(&program))?;
        let examples = [
            "hallpass",
            "--example",
            "bench_hello",
            "--example",
            "bench_app",
        ];
        let examples = [&release[..], &examples].concat();
        steps::run("build the examples", &mut cargo(&examples))?;
        if services == Services::Measured {
            let examples = ["--example", "bench_service", "--example", "bench_verifiers"];
            let package = ["hallpass-verify", "--features", "axum,remote"];
            let examples = [&release[..], &package, &examples].concat();
            steps::run("build services", &mut cargo(&examples))?;
        }
        Ok(Self::in_folder(&steps::target_dir()?.join("release")))
    }

    /// Takes those that were built before, in this or in another state of the project.
    pub(crate) fn in_folder(release: &Path) -> Self {
        Self {
            hello: release.join("examples/bench_hello"),
            app: release.join("examples/bench_app"),
            program: release.join("hallpass"),
            service: release.join("examples/bench_service"),
            verifiers: release.join("examples/bench_verifiers"),
        }
    }

    /// Returns the command that starts the program with its data in `folder`.
    pub(crate) fn serve(&self, folder: &Path, address: SocketAddr, url: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .arg("serve")
            .args(["--listen", &address.to_string()])
            .args(["--public-url", url])
            .arg("--data")
            .arg(folder.join("data"));
        command
    }

    /// Starts the program with its data in `folder`, as `hallpass serve` does without settings.
    pub(crate) async fn start_program(&self, folder: &Path) -> Result<Server, Stop> {
        self.start_program_for(folder, None).await
    }

    async fn start_program_for(
        &self,
        folder: &Path,
        service: Option<&Credentials>,
    ) -> Result<Server, Stop> {
        let address = free_address()?;
        let mut command = self.serve(folder, address, &format!("http://{address}"));
        command.envs(service.map(Credentials::setting));
        start(&mut command, folder, address, "/healthz", Stdio::null()).await
    }

    async fn start_app(&self, folder: &Path) -> Result<Server, Stop> {
        let address = free_address()?;
        let mut command = Command::new(&self.app);
        command.env_clear().arg(address.to_string()).arg(folder);
        start(&mut command, folder, address, "/hello", Stdio::null()).await
    }

    async fn start_hello(&self, folder: &Path) -> Result<Server, Stop> {
        let address = free_address()?;
        let mut command = Command::new(&self.hello);
        command.env_clear().arg(address.to_string());
        start(&mut command, folder, address, "/hello", Stdio::null()).await
    }

    /// Starts a service that trusts `issuer`, and waits until it hears of what is revoked.
    async fn start_service(
        &self,
        folder: &Path,
        issuer: SocketAddr,
        credentials: &Credentials,
    ) -> Result<Server, Stop> {
        let address = free_address()?;
        let mut command = Command::new(&self.service);
        command
            .env_clear()
            .args([&address.to_string(), &format!("http://{issuer}"), SERVICE]);
        std::fs::create_dir_all(folder)?;
        let secret = folder.join("secret");
        std::fs::write(&secret, &credentials.secret)?;
        let secret = Stdio::from(File::open(secret)?);
        let server = start(&mut command, folder, address, "/hello", secret).await?;
        let started = machine::now();
        let question = get(address, "/current", "");
        let mut connection = Connection::open(address).await?;
        while connection.exchange(&question).await?.body != b"yes" {
            if started.elapsed() > CURRENT_MAX {
                return Err(Stop::because("a service does not hear of its issuer"));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(server)
    }
}

/// Starts a server that finds no configuration file.
pub(crate) async fn start(
    command: &mut Command,
    folder: &Path,
    address: SocketAddr,
    path: &str,
    reads: Stdio,
) -> Result<Server, Stop> {
    std::fs::create_dir_all(folder)?;
    command.current_dir(folder).stdin(reads);
    Server::start(command, address, path, &folder.join("log")).await
}

/// The servers, running.
pub(crate) struct Servers {
    pub(crate) hello: Server,
    pub(crate) app: Server,
    pub(crate) program: Server,
    /// Trusts the program.
    pub(crate) service: Option<Server>,
}

impl Servers {
    /// Starts them, each in a folder of its own.
    pub(crate) async fn start(
        programs: &Programs,
        folder: &Path,
        services: Services,
    ) -> Result<Self, Stop> {
        let credentials = match services {
            Services::Measured => Some(Credentials::draw(programs)?),
            Services::LeftOut => None,
        };
        let credentials = credentials.as_ref();
        let own = folder.join("program");
        let program = programs.start_program_for(&own, credentials).await?;
        let service = match credentials {
            Some(credentials) => {
                let own = folder.join("service");
                let started = programs.start_service(&own, program.address, credentials);
                Some(started.await?)
            }
            None => None,
        };
        Ok(Self {
            hello: programs.start_hello(&folder.join("hello")).await?,
            app: programs.start_app(&folder.join("app")).await?,
            program,
            service,
        })
    }
}
