//! `cargo xtask bench`: what a request costs.
//!
//! The robust figure is the server's CPU time per request, and its ratio to that of a bare axum
//! server measured in the same seconds: throughput depends on what else the machine does.

mod accounts;
#[cfg(test)]
mod fake;
mod hashes;
mod histogram;
mod http;
mod issuer;
mod kids;
mod load;
mod prefill;
mod process;
mod relay;
mod report;
mod revocation;
mod rotation;
mod sample;
mod scenario;
mod servers;
mod stores;
mod tool;

use crate::machine;
use crate::steps::{Stop, cargo};
use clap::ValueEnum as _;
use report::{Figure, Line, Process};
use sample::{Sample, median};
use scenario::{Name, Scenario};
use servers::{Programs, Servers, Services};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

const MIXED_GETS: usize = 8;
const MIXED_SIGN_INS: usize = 32;
const STARTS: usize = 3;

/// What the line of another build is called, after what it measures.
const BESIDE: &str = " (beside)";

/// What to measure, and for how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long a round takes, in seconds [default: 2; of `rotation`: 120]
    #[arg(long)]
    seconds: Option<f64>,
    /// How many rounds; the table shows medians
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Measures this alone; may be repeated
    #[arg(long, value_enum, value_name = "NAME")]
    only: Vec<Name>,
    /// Threads of the load generator [default: half the cores]
    #[arg(long)]
    threads: Option<usize>,
    /// Measures another build in turn: its folder `target/release`, after a `bench` of its own
    #[arg(long, value_name = "FOLDER")]
    beside: Option<PathBuf>,
}

impl Options {
    fn wants(&self, name: Name) -> bool {
        self.only.is_empty() || self.only.contains(&name)
    }

    fn span(&self) -> Duration {
        Duration::from_secs_f64(self.seconds.unwrap_or(2.0).clamp(0.1, 60.0))
    }

    fn rotation_span(&self) -> Duration {
        Duration::from_secs_f64(self.seconds.unwrap_or(120.0).clamp(0.1, 3600.0))
    }

    /// Starts the servers of another build, if one is named.
    async fn beside(&self, folder: &Path) -> Result<Option<Servers>, Stop> {
        let Some(release) = &self.beside else {
            return Ok(None);
        };
        let (programs, folder) = (Programs::in_folder(release), folder.join("beside"));
        let servers = Servers::start(&programs, &folder, Services::LeftOut);
        servers.await.map(Some)
    }

    fn services(&self) -> Services {
        let mut names = Name::value_variants().iter();
        if names.any(|name| name.needs_services() && self.wants(*name)) {
            Services::Measured
        } else {
            Services::LeftOut
        }
    }
}

/// Measures, and leaves nothing running. Returns the last line.
///
/// # Errors
/// When something cannot be built or started, or answers what it should not.
pub(crate) fn run(options: &Options) -> Result<String, Stop> {
    if cfg!(debug_assertions) {
        return run_optimised();
    }
    let programs = Programs::build(options.services())?;
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(options.threads.unwrap_or(machine::cores() / 2).max(1))
        .enable_all()
        .build()?;
    runtime.block_on(async {
        tokio::select! {
            outcome = measure_all(options, &programs, folder.path()) => outcome,
            // Dropping the measurement ends its servers.
            () = interrupted() => Err(Stop::because("interrupted")),
        }
    })
}

/// Becomes this program as it is released: a slow generator would measure itself.
fn run_optimised() -> Result<String, Stop> {
    let again = [
        "run",
        "--release",
        "--locked",
        "--quiet",
        "--package",
        "xtask",
        "--",
    ];
    println!("==> build the load generator");
    let fault = cargo(&again).args(machine::arguments()).exec();
    Err(Stop::because(format!("cannot start cargo: {fault}")))
}

async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => std::future::pending().await,
    }
}

async fn measure_all(
    options: &Options,
    programs: &Programs,
    folder: &Path,
) -> Result<String, Stop> {
    let servers = Servers::start(programs, folder, options.services()).await?;
    let beside = options.beside(folder).await?;
    let idle_kib = servers.program.resident_kib()?;
    let (mut lines, hashes) = rounds(options, &servers, beside.as_ref()).await?;
    if options.wants(Name::Mixed) {
        lines.extend(mixed(options, &servers).await?);
    }
    let loaded_kib = servers.program.resident_kib()?;
    if options.wants(Name::Stores) {
        let measured = stores::measure(programs, folder, options.span(), options.rounds).await?;
        let connections = scenario::REFRESH_CONNECTIONS;
        lines.extend(measured.into_iter().map(|(what, samples)| {
            let line = Line::new(what, connections, Process::Alone);
            Line { samples, ..line }
        }));
    }
    // They are measured alone.
    drop((servers, beside));
    let figures = crowds(options, programs, folder).await?;
    println!();
    if !lines.is_empty() {
        println!("{}\n", report::table(&lines));
    }
    for line in against_beside(&lines)
        .into_iter()
        .chain(report::figures(&figures))
    {
        println!("{line}");
    }
    if !hashes.is_empty() {
        println!("{}", against_bare_hashes(&lines, hashes));
    }
    let megabytes = sample::float(std::fs::metadata(&programs.program)?.len()) / 1e6;
    println!("resident idle {idle_kib} KiB, after load {loaded_kib} KiB");
    println!(
        "start to first answer {:.1} ms",
        first_answer(programs, folder).await?
    );
    Ok(format!("the program is {megabytes:.1} MB"))
}

/// Measures what takes many verifiers, each scenario with an issuer of its own.
async fn crowds(
    options: &Options,
    programs: &Programs,
    folder: &Path,
) -> Result<Vec<Figure>, Stop> {
    let mut figures = Vec::new();
    if options.wants(Name::Revocation) {
        figures.extend(revocation::measure(programs, &folder.join("revocation")).await?);
    }
    if options.wants(Name::Rotation) {
        let span = options.rotation_span();
        figures.extend(rotation::measure(programs, &folder.join("rotation"), span).await?);
    }
    if options.wants(Name::Kids) {
        figures.extend(kids::measure(programs, &folder.join("kids")).await?);
    }
    Ok(figures)
}

/// A scenario, the servers it is about, and what was measured of it.
type Entry<'s> = (Scenario, &'s Servers, Line);

/// Makes the scenarios that are wanted; each is followed by the same of another build.
async fn entries<'s>(
    options: &Options,
    servers: &'s Servers,
    beside: Option<&'s Servers>,
) -> Result<Vec<Entry<'s>>, Stop> {
    let mut entries = Vec::new();
    let names = Name::value_variants().iter();
    for name in names.filter(|name| options.wants(**name)) {
        let others = beside.filter(|_| !matches!(name, Name::Hello | Name::Service));
        for (servers, whose) in [(Some(servers), ""), (others, BESIDE)] {
            let Some(servers) = servers else { continue };
            for scenario in Scenario::prepare(*name, servers).await? {
                let what = format!("{}{whose}", scenario.what);
                let mut line = Line::new(what, scenario.scripts.len(), Process::Alone);
                line.ratio_max = name.ratio_max();
                entries.push((scenario, servers, line));
            }
        }
    }
    Ok(entries)
}

/// Measures the scenarios in turn, round by round, each just after the bare server; and after
/// each round of sign-ins, how many bare hashes the machine does.
async fn rounds(
    options: &Options,
    servers: &Servers,
    beside: Option<&Servers>,
) -> Result<(Vec<Line>, Vec<f64>), Stop> {
    let mut entries = entries(options, servers, beside).await?;
    let mut hello = scenario::same(load::get(servers.hello.address, "/hello", ""), 200);
    let mut hashes = Vec::new();
    let rounds = if entries.is_empty() {
        0
    } else {
        options.rounds
    };
    for round in 1..=rounds {
        println!("    round {round} of {rounds}");
        for (scenario, whose, line) in &mut entries {
            line.hello
                .push(Sample::take(&servers.hello, &mut hello, options.span()).await?);
            let target = scenario.target(whose);
            line.samples
                .push(Sample::take(target, &mut scenario.scripts, options.span()).await?);
            if scenario.name == Name::Login {
                hashes.push(hashes::per_second(options.span())?);
            }
        }
    }
    let lines = entries.into_iter().map(|(_, _, line)| line);
    Ok((lines.collect(), hashes))
}

/// Measures protected requests while many sign in to the same process.
async fn mixed(options: &Options, servers: &Servers) -> Result<[Line; 2], Stop> {
    let app = servers.app.address;
    let ann = accounts::Account::sign_up(app, "mixed", "cookie").await?;
    let mut gets = scenario::same(ann.get_by_cookie(app, "/protected"), 200);
    gets.truncate(MIXED_GETS);
    let mut sign_ins = scenario::sign_ins(app, MIXED_SIGN_INS).await?;
    let line = |what, connections| Line::new(what, connections, Process::Shared);
    let mut lines = [
        line("GET while 32 sign in", MIXED_GETS),
        line("32 sign in", MIXED_SIGN_INS),
    ];
    let [get_line, sign_in_line] = &mut lines;
    for _ in 0..options.rounds {
        let (get, sign_in) = tokio::try_join!(
            Sample::take(&servers.app, &mut gets, options.span()),
            Sample::take(&servers.app, &mut sign_ins, options.span()),
        )?;
        get_line.samples.push(get);
        sign_in_line.samples.push(sign_in);
    }
    Ok(lines)
}

/// Says how much CPU time a request costs, as a multiple of another build's.
fn against_beside(lines: &[Line]) -> Vec<String> {
    let ratios = lines.windows(2).filter_map(|pair| {
        let [ours, theirs] = pair else { return None };
        let same = theirs.what.strip_suffix(BESIDE) == Some(&ours.what);
        let ratio = same.then(|| ours.ratio_to(theirs)).flatten()?;
        Some(format!("{}: {ratio:.2} × the other build", ours.what))
    });
    ratios.collect()
}

fn against_bare_hashes(lines: &[Line], hashes: Vec<f64>) -> String {
    let sign_ins = lines.iter().find(|line| line.what == "POST /auth/login");
    let sign_ins = sign_ins.map_or(0.0, |line| {
        Sample::median(&line.samples).requests_per_second
    });
    let bare = median(hashes);
    format!(
        "bare Argon2id {bare:.1} hashes/s on {} cores; sign-ins reach {:.0} % of that",
        machine::cores(),
        100.0 * sign_ins / bare
    )
}

/// Returns the milliseconds from the start of the program to its first answer, on data it knows.
async fn first_answer(programs: &Programs, folder: &Path) -> Result<f64, Stop> {
    let mut millis = Vec::with_capacity(STARTS);
    for _ in 0..=STARTS {
        let server = programs.start_program(&folder.join("starts")).await?;
        millis.push(server.first_answer_after.as_secs_f64() * 1e3);
        server.stop().await?;
    }
    // The first start makes the database and the keys.
    Ok(median(millis.split_off(1)))
}
