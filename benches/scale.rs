//! How fast, in how much memory and on how much disk a whole organisation is read.
//!
//! Two processes as in life: a simulated GitLab, which is this program started once more, and the
//! real `xrefd sync`. First as fast as both can, then with answers that take their time and a limit
//! on requests: there the rate must bind, and not us. `cargo bench --bench scale` prints one line
//! per figure; `docs/figures.md` keeps what came out. With arguments it does one run of another
//! size: `cargo bench --bench scale -- --items 50000`. It refuses to look into the index: whether
//! that is right is for the tests.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and may stop")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use gitlab_sim::{Bulk, Delay, GitLab, Latency, Limit, Options, Throttle};
use serde_json::Value;
use tempfile::TempDir;

/// How often the memory of a process is looked at. Its highest is kept by the system until it ends.
const LOOK: Duration = Duration::from_millis(20);

/// Part of the limit that is used, as by default.
const SHARE: f64 = 0.8;

/// What the kernel counts processor time in, by the second.
const TICKS: f64 = 100.0;

/// The variable that holds the token.
const TOKEN: &str = "XREFD_BENCH_TOKEN";

/// One run.
#[derive(Debug, Clone, Parser)]
struct Setting {
    /// How many issues and merge requests there are, half of each
    #[arg(long, default_value_t = 1_000_000)]
    items: u64,
    /// How many projects there are
    #[arg(long, default_value_t = 1_000)]
    projects: usize,
    /// How many comments there are
    #[arg(long, default_value_t = 0)]
    notes: u64,
    /// How many milliseconds every answer takes
    #[arg(long, default_value_t = 0)]
    latency: u64,
    /// How many requests a minute pass; 0 sets no limit
    #[arg(long, default_value_t = 0)]
    per_minute: u64,
    /// How many requests may be out at once
    #[arg(long, default_value_t = 8)]
    concurrency: u32,
    /// Read no comments
    #[arg(long)]
    without_comments: bool,
    /// How lists are read: auto or rest
    #[arg(long, default_value = "auto")]
    transport: String,
    /// Keep the index in this folder
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Serve, and measure nothing
    #[arg(long, hide = true)]
    serve: bool,
    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let setting = Setting::parse();
    if setting.serve {
        return serve(&setting);
    }
    if std::env::args().len() > 2 {
        return measure(&setting);
    }
    measure(&setting);
    measure(&Setting {
        items: 200_000,
        latency: 300,
        per_minute: 2_000,
        concurrency: 16,
        ..setting
    });
}

/// Reads an organisation whole, then once more with nothing changed.
fn measure(setting: &Setting) {
    println!(
        "{} items and {} comments in {} projects, transport {}, answers after {} ms, {}:",
        setting.items,
        setting.notes,
        setting.projects,
        setting.transport,
        setting.latency,
        if setting.per_minute == 0 {
            "no limit".to_owned()
        } else {
            format!("{} requests a minute", setting.per_minute)
        },
    );
    let mut server = Server::start(setting);
    let folder = tempfile::tempdir().unwrap();
    write_config(folder.path(), &server, setting);
    let used = server.processor_time();
    let full = sync(&folder, &server);
    let items = setting.items as f64;
    println!("  seconds: {:.1}", full.seconds);
    println!("  items a second: {:.0}", items / full.seconds);
    println!("  processor seconds of xrefd: {:.1}", full.processor_time);
    println!("  items per processor second of xrefd: {:.0}", items / full.processor_time);
    println!("  processor seconds of the simulated GitLab: {:.1}", server.processor_time() - used);
    println!("  highest resident memory of xrefd: {:.1} MB", full.memory_kb / 1024.0);
    let size = std::fs::metadata(folder.path().join("xrefd.db")).unwrap().len();
    println!("  database: {:.0} bytes an item, {} MB", size as f64 / items, size >> 20);
    println!("  requests: {} ({} throttled)", full.summary["requests"], full.summary["throttled"]);
    println!("  complete: {}", full.summary["complete"]);
    if setting.per_minute > 0 {
        let minutes = server.whole_minutes();
        let passed: u64 = minutes.iter().sum();
        let permitted = SHARE * setting.per_minute as f64 * minutes.len() as f64;
        println!("  requests that passed in whole minutes: {minutes:?}");
        println!("  part of the permitted rate: {:.1} %", 100.0 * passed as f64 / permitted);
    }
    let idle = sync(&folder, &server);
    println!("  seconds when nothing changed: {:.2}", idle.seconds);
    println!("  requests when nothing changed: {}", idle.summary["requests"]);
    println!("  memory when nothing changed: {:.1} MB", idle.memory_kb / 1024.0);
    if let Some(keep) = &setting.keep {
        std::fs::copy(folder.path().join("xrefd.db"), keep.join("xrefd.db")).unwrap();
    }
}

fn write_config(folder: &Path, server: &Server, setting: &Setting) {
    let text = format!(
        "[database]\nurl = \"sqlite://{}\"\n[[gitlab]]\nname = \"bench\"\nurl = \"{}\"\n\
         token = {{ env = \"{TOKEN}\" }}\ngroups = [\"{}\"]\nrequests_per_minute = 1000000\n\
         share = {SHARE}\nconcurrency = {}\ntransport = \"{}\"\ncomments = {}\n",
        folder.join("xrefd.db").display(),
        server.url,
        Bulk::GROUP,
        setting.concurrency,
        setting.transport,
        !setting.without_comments,
    );
    std::fs::write(folder.join("xrefd.toml"), text).unwrap();
}

/// What one sync took.
struct Sync {
    seconds: f64,
    processor_time: f64,
    memory_kb: f64,
    summary: Value,
}

/// Runs `xrefd sync` and watches it.
fn sync(folder: &TempDir, server: &Server) -> Sync {
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_xrefd"))
        .args(["sync", "--format", "json", "--config"])
        .arg(folder.path().join("xrefd.toml"))
        .env(TOKEN, &server.token)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut memory_kb, mut used) = (0.0_f64, 0.0_f64);
    while child.try_wait().unwrap().is_none() {
        // Both are gone once it has ended.
        memory_kb = memory_kb.max(highest_memory_kb(child.id()).unwrap_or_default());
        used = used.max(processor_time(child.id()).unwrap_or_default());
        std::thread::sleep(LOOK);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let output = child.wait_with_output().unwrap();
    let summary = serde_json::from_slice(&output.stdout).unwrap();
    Sync { seconds, processor_time: used, memory_kb, summary }
}

fn highest_memory_kb(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Returns the processor time that a process has used, in seconds.
fn processor_time(process: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    Some(ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS)
}

/// The simulated GitLab, a process of its own.
struct Server {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    url: String,
    token: String,
}

impl Server {
    fn start(setting: &Setting) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("--serve")
            .args(["--items", &setting.items.to_string()])
            .args(["--projects", &setting.projects.to_string()])
            .args(["--notes", &setting.notes.to_string()])
            .args(["--latency", &setting.latency.to_string()])
            .args(["--per-minute", &setting.per_minute.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = || lines.next().unwrap().unwrap();
        let (url, token) = (line(), line());
        Self { child, input, lines, url, token }
    }

    fn processor_time(&self) -> f64 {
        processor_time(self.child.id()).unwrap()
    }

    /// Returns how many requests passed in each minute of the clock but the first and the last.
    fn whole_minutes(&mut self) -> Vec<u64> {
        writeln!(self.input.as_mut().unwrap(), "minutes").unwrap();
        let line = self.lines.next().unwrap().unwrap();
        let minutes: Vec<u64> = line.split_whitespace().map(|n| n.parse().unwrap()).collect();
        minutes[1..minutes.len().max(2) - 1].to_vec()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server ends when its input does.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// Serves a world until the input ends.
fn serve(setting: &Setting) {
    let bulk = Bulk {
        projects: setting.projects,
        issues: setting.items / 2,
        merge_requests: setting.items - setting.items / 2,
        notes: setting.notes,
        ..Bulk::default()
    };
    let world = bulk.generate();
    let throttle = match setting.per_minute {
        0 => Throttle::None,
        requests => Throttle::Always(Limit::per_minute(requests)),
    };
    let options = Options {
        throttle,
        latency: Latency::all(Delay::fixed(Duration::from_millis(setting.latency))),
        ..Options::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let gitlab = GitLab::start(world, options).await.unwrap();
        println!("{}", gitlab.url());
        println!("{}", gitlab.token());
        loop {
            let line = tokio::task::spawn_blocking(|| {
                let mut line = String::new();
                std::io::stdin().read_line(&mut line).unwrap()
            });
            if line.await.unwrap() == 0 {
                break;
            }
            let mut minutes: BTreeMap<i64, u64> = BTreeMap::new();
            for request in gitlab.requests() {
                if request.status != 429 {
                    *minutes.entry(request.at.as_second() / 60).or_default() += 1;
                }
            }
            let counts: Vec<String> = minutes.values().map(u64::to_string).collect();
            println!("{}", counts.join(" "));
        }
        gitlab.stop().await;
    });
}
