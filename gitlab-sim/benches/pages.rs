//! How many list pages a second one core serves, and in how much memory.
//!
//! The program starts itself twice: as a server that is tied to one core, with a world of a
//! thousand projects and a million items, and as a client on the other core, which walks lists as a
//! crawler does and looks no closer than it must. Besides pages by the clock it counts pages by the
//! processor time that the server used, which other work on the machine does not change. `cargo bench -p gitlab-sim --bench pages` prints a
//! table; `docs/figures.md` keeps what came out.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and may stop")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gitlab_sim::{Bulk, GitLab, Options};

/// The cores of server and client.
const SERVER_CORE: &str = "0";
const CLIENT_CORE: &str = "1";

/// Enough connections that the server never waits for the client.
const CONNECTIONS: u64 = 4;

/// Each walk first goes on unmeasured, then measured.
const WARM: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(5);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [_, "serve"] => serve(),
        [_, "walk", address, token, server] => walk_all(&Server { address, token, id: server }),
        _ => measure(&arguments[0]),
    }
}

/// Starts server and client and adds what the memory of the server is.
fn measure(program: &str) {
    let mut server = Command::new("taskset")
        .args(["-c", SERVER_CORE, program, "serve"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("taskset starts the server; it is part of util-linux");
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let mut line = || lines.next().unwrap().unwrap();
    let (address, token, made) = (line(), line(), line());
    println!("{made}");
    println!("memory before the first request: {}", memory(server.id()));
    println!();
    println!("| list | rows a page | pages/s | pages per second of the server's core | MB/s |");
    println!("|---|---|---|---|---|");
    let walked = Command::new("taskset")
        .args(["-c", CLIENT_CORE, program, "walk", &address, &token])
        .arg(server.id().to_string())
        .status()
        .expect("taskset starts the client");
    assert!(walked.success());
    println!();
    println!("memory after the last request: {}", memory(server.id()));
    // The server ends when its input does.
    drop(server.stdin.take());
    server.wait().unwrap();
}

/// Returns resident memory, now and at its highest.
fn memory(process: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let megabytes = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    };
    format!("VmRSS {} MB, VmHWM {} MB", megabytes("VmRSS:"), megabytes("VmHWM:"))
}

fn serve() {
    let begun = Instant::now();
    let bulk = Bulk { now: "2026-11-01T00:00:00Z".parse().unwrap(), ..Bulk::default() };
    let world = bulk.generate();
    let seconds = begun.elapsed().as_secs_f64();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let gitlab = GitLab::start(world, Options::default()).await.unwrap();
        println!("{}", gitlab.url().trim_start_matches("http://"));
        println!("{}", gitlab.token());
        println!(
            "{} projects, {} issues, {} merge requests made in {seconds:.1} s",
            bulk.projects, bulk.issues, bulk.merge_requests
        );
        let wait = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0]));
        let _ = wait.await.unwrap();
        gitlab.stop().await;
    });
}

/// The server as the client knows it.
struct Server<'s> {
    address: &'s str,
    token: &'s str,
    /// The number of its process.
    id: &'s str,
}

impl Server<'_> {
    /// Returns the processor time that it has used, in hundredths of a second.
    fn used(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id)).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }
}

/// One kind of walk.
enum Walk {
    /// The watermark walk over a group list.
    Watermark(&'static str),
    /// Pages of a list from one number to another.
    Offset(&'static str, u64, u64),
}

fn walk_all(server: &Server<'_>) {
    for (name, walk) in [
        ("group issues by watermark", Walk::Watermark("issues")),
        ("group merge requests by watermark", Walk::Watermark("merge_requests")),
        (
            "group projects by offset",
            Walk::Offset("projects?include_subgroups=true&with_shared=false&order_by=id", 1, 10),
        ),
    ] {
        for size in [100, 20] {
            report(server, name, &walk, size);
        }
    }
    let by_time = "issues?order_by=updated_at&sort=asc&non_archived=false";
    let deep = Walk::Offset(by_time, 4_000, 5_000);
    report(server, "group issues by offset, from page 4,000", &deep, 100);
}

fn report(server: &Server<'_>, name: &str, walk: &Walk, size: u64) {
    let (pages, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
    let measuring = AtomicBool::new(false);
    let over = AtomicBool::new(false);
    let mut used = 0;
    let mut seconds = 0.0;
    std::thread::scope(|scope| {
        for number in 0..CONNECTIONS {
            let (pages, bytes, measuring, over) = (&pages, &bytes, &measuring, &over);
            scope.spawn(move || {
                let mut client = Client::connect(server.address, server.token);
                let mut place = Place::start(walk, number);
                while !over.load(Ordering::Relaxed) {
                    let body = client.get(&place.path(size));
                    if measuring.load(Ordering::Relaxed) {
                        pages.fetch_add(1, Ordering::Relaxed);
                        bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
                    }
                    place.go_on(body);
                }
            });
        }
        std::thread::sleep(WARM);
        let (begun, before) = (Instant::now(), server.used());
        measuring.store(true, Ordering::Relaxed);
        std::thread::sleep(MEASURED);
        measuring.store(false, Ordering::Relaxed);
        seconds = begun.elapsed().as_secs_f64();
        used = server.used() - before;
        over.store(true, Ordering::Relaxed);
    });
    let per_second = |count: u64| f64::from(u32::try_from(count).unwrap()) / seconds;
    let (pages, megabytes) = (pages.into_inner(), bytes.into_inner() / 1_000_000);
    println!(
        "| {name} | {size} | {:.0} | {} | {:.0} |",
        per_second(pages),
        pages * 100 / used.max(1),
        per_second(megabytes)
    );
}

/// How far a walk has come.
struct Place<'w> {
    walk: &'w Walk,
    number: u64,
    watermark: String,
    page: u64,
}

impl<'w> Place<'w> {
    /// Every connection starts elsewhere, so that they do not ask for the same pages.
    fn start(walk: &'w Walk, number: u64) -> Self {
        let page = match walk {
            Walk::Watermark(_) => 1,
            Walk::Offset(_, first, last) => first + (last - first) * number / CONNECTIONS,
        };
        Self { walk, number, watermark: first_watermark(number), page }
    }

    fn path(&self, size: u64) -> String {
        let Self { watermark, page, .. } = self;
        match self.walk {
            Walk::Watermark(list) => format!(
                "/api/v4/groups/{}/{list}?order_by=updated_at&sort=asc&non_archived=false\
                 &updated_after={watermark}&per_page={size}&page={page}",
                Bulk::GROUP
            ),
            Walk::Offset(list, ..) => {
                format!("/api/v4/groups/{}/{list}&per_page={size}&page={page}", Bulk::GROUP)
            }
        }
    }

    fn go_on(&mut self, body: &[u8]) {
        match self.walk {
            Walk::Watermark(_) => match last_updated_at(body) {
                Some(last) if last == self.watermark => self.page += 1,
                Some(last) => {
                    self.watermark = last;
                    self.page = 1;
                }
                None => *self = Self::start(self.walk, self.number),
            },
            Walk::Offset(_, first, last) => {
                self.page = if self.page < *last { self.page + 1 } else { *first };
            }
        }
    }
}

fn first_watermark(number: u64) -> String {
    format!("2025-{:02}-01T00:00:00.000Z", 1 + number * 2)
}

/// Finds the time of the last row without reading the others.
fn last_updated_at(body: &[u8]) -> Option<String> {
    let key = b"\"updated_at\":\"";
    let start = body.windows(key.len()).rposition(|window| window == key)? + key.len();
    Some(String::from_utf8_lossy(&body[start..start + 24]).into_owned())
}

/// A client that does no more than it must, on one connection that stays open.
struct Client {
    stream: TcpStream,
    head: String,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(address: &str, token: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        let head = format!("HTTP/1.1\r\nhost: {address}\r\nprivate-token: {token}\r\n\r\n");
        Self { stream, head, buffer: vec![0; 1 << 20] }
    }

    /// Asks for a path and returns the body.
    fn get(&mut self, path: &str) -> &[u8] {
        self.stream.write_all(format!("GET {path} {}", self.head).as_bytes()).unwrap();
        let mut filled = 0;
        let (start, length) = loop {
            filled += self.stream.read(&mut self.buffer[filled..]).unwrap();
            if let Some(head) =
                self.buffer[..filled].windows(4).position(|part| part == b"\r\n\r\n")
            {
                let text = std::str::from_utf8(&self.buffer[..head]).unwrap();
                assert!(text.starts_with("HTTP/1.1 200"), "{path}: {text}");
                let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
                break (head + 4, length.unwrap().trim().parse::<usize>().unwrap());
            }
        };
        if self.buffer.len() < start + length {
            self.buffer.resize(start + length, 0);
        }
        while filled < start + length {
            filled += self.stream.read(&mut self.buffer[filled..]).unwrap();
        }
        &self.buffer[start..start + length]
    }
}
