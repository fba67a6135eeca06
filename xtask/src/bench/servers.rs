//! The three servers that are measured, built as they are released.

use super::process::{Server, free_address};
use crate::steps::{self, Stop, cargo};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the built programs are.
pub(crate) struct Programs {
    hello: PathBuf,
    app: PathBuf,
    pub(crate) program: PathBuf,
}

impl Programs {
    /// Builds them.
    pub(crate) fn build() -> Result<Self, Stop> {
        let program = [
            "build",
            "--release",
            "--locked",
            "--package",
            "hallpass-server",
        ];
        steps::run("build the program", &mut cargo(&program))?;
        let examples = ["--example", "bench_hello", "--example", "bench_app"];
        let examples = [
            &["build", "--release", "--locked", "--package", "hallpass"],
            &examples[..],
        ]
        .concat();
        steps::run("build the examples", &mut cargo(&examples))?;
        let release = steps::target_dir()?.join("release");
        Ok(Self {
            hello: release.join("examples/bench_hello"),
            app: release.join("examples/bench_app"),
            program: release.join("hallpass"),
        })
    }

    /// Starts the program with its data in `folder`, as `hallpass serve` does without settings.
    pub(crate) async fn start_program(&self, folder: &Path) -> Result<Server, Stop> {
        let address = free_address()?;
        let mut command = Command::new(&self.program);
        command
            .arg("serve")
            .args(["--listen", &address.to_string()])
            .args(["--public-url", &format!("http://{address}")])
            .arg("--data")
            .arg(folder.join("data"));
        start(&mut command, folder, address, "/healthz").await
    }

    async fn start_app(&self, folder: &Path) -> Result<Server, Stop> {
        let address = free_address()?;
        let mut command = Command::new(&self.app);
        command.arg(address.to_string()).arg(folder);
        start(&mut command, folder, address, "/hello").await
    }

    async fn start_hello(&self, folder: &Path) -> Result<Server, Stop> {
        let address = free_address()?;
        let mut command = Command::new(&self.hello);
        start(command.arg(address.to_string()), folder, address, "/hello").await
    }
}

/// Starts a server that sees nothing of our environment, and no configuration file.
async fn start(
    command: &mut Command,
    folder: &Path,
    address: std::net::SocketAddr,
    path: &str,
) -> Result<Server, Stop> {
    std::fs::create_dir_all(folder)?;
    command.env_clear().current_dir(folder);
    Server::start(command, address, path, &folder.join("log")).await
}

/// The servers, running.
pub(crate) struct Servers {
    pub(crate) hello: Server,
    pub(crate) app: Server,
    pub(crate) program: Server,
}

impl Servers {
    /// Starts them, each in a folder of its own.
    pub(crate) async fn start(programs: &Programs, folder: &Path) -> Result<Self, Stop> {
        Ok(Self {
            hello: programs.start_hello(&folder.join("hello")).await?,
            app: programs.start_app(&folder.join("app")).await?,
            program: programs.start_program(&folder.join("program")).await?,
        })
    }
}
