//! A server under load, and what the system says of it.

use super::http::Connection;
use super::load::get;
use crate::machine;
use crate::steps::{Stop, succeeds};
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

/// How long a server may take to start, and to stop.
const START_MAX: Duration = Duration::from_secs(20);
const STOP_MAX: Duration = Duration::from_secs(15);
/// `/proc` counts CPU time in hundredths of a second: `USER_HZ` is 100 on every Linux there is.
const TICK: Duration = Duration::from_millis(10);

/// A server that is ended when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first answer.
    pub(crate) first_answer_after: Duration,
}

impl Server {
    /// Starts a server and waits for its first answer to `GET path`. What it prints goes to
    /// `log`; what it reads is for whoever made the command to say.
    pub(crate) async fn start(
        command: &mut Command,
        address: SocketAddr,
        path: &str,
        log: &Path,
    ) -> Result<Self, Stop> {
        let output = File::create(log)?;
        let outputs = (output.try_clone()?, output);
        let started = machine::now();
        let child = command.stdout(outputs.0).stderr(outputs.1).spawn()?;
        let mut server = Self {
            child,
            address,
            first_answer_after: Duration::ZERO,
        };
        let request = get(address, path, "");
        while !answers(address, &request).await {
            let ended = server.child.try_wait()?;
            if ended.is_some() || started.elapsed() > START_MAX {
                let said = fs::read_to_string(log).unwrap_or_default();
                return Err(Stop::because(format!(
                    "a server did not start ({ended:?}):\n{said}"
                )));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.first_answer_after = started.elapsed();
        Ok(server)
    }

    /// Returns the CPU time it has used so far.
    pub(crate) fn cpu(&self) -> Result<Duration, Stop> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        cpu_of(&stat).ok_or_else(|| Stop::because("cannot read the CPU time of a process"))
    }

    /// Returns its resident memory, in KiB.
    pub(crate) fn resident_kib(&self) -> Result<u64, Stop> {
        resident_kib(self.child.id())
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<(), Stop> {
        let asked = machine::now();
        succeeds(Command::new("kill").args(["-TERM", &self.child.id().to_string()]));
        while self.child.try_wait()?.is_none() {
            if asked.elapsed() > STOP_MAX {
                return Err(Stop::because("a server did not stop when it was asked to"));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the resident memory of a process, in KiB.
pub(crate) fn resident_kib(process: u32) -> Result<u64, Stop> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    resident_of(&status).ok_or_else(|| Stop::because("cannot read the memory of a process"))
}

async fn answers(address: SocketAddr, request: &[u8]) -> bool {
    match Connection::open(address).await {
        Ok(mut connection) => connection.exchange(request).await.is_ok(),
        Err(_) => false,
    }
}

/// Returns an address of this machine on which nobody listens.
pub(crate) fn free_address() -> Result<SocketAddr, Stop> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// `utime` and `stime` are the 14th and 15th field of `/proc/<pid>/stat`; the name of the program,
/// which may hold anything, is the 2nd and ends at the last `)`.
fn cpu_of(stat: &str) -> Option<Duration> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut ticks = rest.split_whitespace().skip(11).map(str::parse::<u32>);
    let (user, system) = (ticks.next()?.ok()?, ticks.next()?.ok()?);
    Some(TICK * user.checked_add(system)?)
}

fn resident_of(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fake;

    #[test]
    fn cpu_time_is_user_and_system_time() {
        let stat = "77 (a b) c) S 1 77 77 0 -1 4194560 512 0 0 0 150 25 3 4 20 0 9 0 12345 1 2";
        assert_eq!(cpu_of(stat), Some(Duration::from_millis(1750)));
        assert_eq!(cpu_of("77 (a) S 1"), None);
    }

    #[test]
    fn memory_is_what_is_resident() {
        assert_eq!(
            resident_of("Name:\tx\nVmSize:\t 9 kB\nVmRSS:\t   1234 kB\n"),
            Some(1234)
        );
        assert_eq!(resident_of("Name:\tx\n"), None);
    }

    fn sleeper() -> Command {
        let mut command = Command::new("sleep");
        command.arg("60");
        command
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_server_is_ended_when_it_is_dropped_and_when_it_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        // The process is a stand-in; the answers come from the test's own server.
        let address = fake::serve(|_| fake::answer(200, "")).await;
        let dropped = Server::start(&mut sleeper(), address, "/", &log)
            .await
            .unwrap();
        let process = format!("/proc/{}", dropped.child.id());
        assert!(dropped.resident_kib().unwrap() > 0);
        assert!(dropped.cpu().unwrap() < Duration::from_secs(1));
        drop(dropped);
        assert!(!Path::new(&process).exists());
        let asked = Server::start(&mut sleeper(), address, "/", &log)
            .await
            .unwrap();
        asked.stop().await.unwrap();
    }

    #[tokio::test]
    async fn a_server_that_ends_at_once_is_reported_with_what_it_said() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such setting >&2; exit 2"]);
        let address = free_address().unwrap();
        let log = folder.path().join("log");
        let stop = Server::start(&mut command, address, "/", &log)
            .await
            .err()
            .unwrap();
        assert!(stop.to_string().contains("no such setting"), "{stop}");
    }
}
