//! How much of the permitted rate is used, and how often GitLab has to refuse.
//!
//! The real client asks a simulated GitLab over real HTTP, in each way of stating limits, alone and
//! beside another client of the same user. All clocks are one: the runtime of the clients stands
//! still and is moved in small steps, and with it the clock of the simulated GitLab and ours, so
//! that hours pass in seconds. The clock waits for answers: however busy the machine is, none takes
//! much longer than [`LATENCY`]. `cargo bench --bench pace` prints one line per setting;
//! `docs/figures.md` keeps what came out.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and may stop")]

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use gitlab_sim::{
    Clock as WorldClock, EndpointLimit, EndpointLimits, GitLab, Headers, Limit, Options, Plan,
    Throttle, Throttles, World,
};
use jiff::{SignedDuration, Timestamp};
use tokio::task::LocalSet;
use tokio::time::Instant;
use xrefd::clock::FakeClock;
use xrefd::gitlab::{Client, Credential, Settings, Url};

/// When all begins: at the full hour, so that whole windows are measured.
const START: &str = "2026-11-22T12:00:00Z";

/// A step of all clocks.
const STEP: Duration = Duration::from_millis(10);

/// How far the clocks go on at most while no answer comes.
const LATENCY: Duration = Duration::from_millis(150);

/// How many ask at once.
const WORKERS: usize = 16;

/// What the other client does.
#[derive(Clone, Copy)]
enum Other {
    Nobody,
    /// So many requests a minute, evenly.
    Steady(u64),
    /// So many requests a minute at once, at another second of each minute.
    Bursts(u64),
}

/// One setting.
struct Setting {
    name: &'static str,
    throttle: Throttle,
    endpoints: EndpointLimits,
    /// Requests a minute where nothing is stated.
    requests_per_minute: u32,
    share: f64,
    other: Other,
    /// Minutes before the measurement, and of it.
    minutes: (u64, u64),
    /// Requests a minute that the throttle permits to all together; `None` without a throttle.
    limit: Option<f64>,
}

/// What is counted at a moment.
#[derive(Clone, Copy, Default)]
struct Counted {
    passed: u64,
    throttled: u64,
    others: u64,
    others_throttled: u64,
}

/// Counts of the other client.
#[derive(Default)]
struct Tally {
    out: Cell<u64>,
    passed: Cell<u64>,
    throttled: Cell<u64>,
}

/// The clocks that are moved together.
struct Clocks {
    world: WorldClock,
    ours: Arc<FakeClock>,
}

fn main() {
    println!(
        "| limits | headers | share | other client | permitted | used | part of the permitted \
         | refused before | refused | others refused |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for setting in settings() {
        run(&setting);
    }
    println!();
    endpoint();
}

fn settings() -> Vec<Setting> {
    let minute = Limit::per_minute(2_000);
    let tiers = |headers| {
        let mut throttles = Throttles::tier_aware(Plan::Free);
        throttles.headers = headers;
        Throttle::Custom(throttles)
    };
    let by_minute = |name, throttle, share, other| Setting {
        name,
        throttle,
        endpoints: EndpointLimits::none(),
        requests_per_minute: 3_000,
        share,
        other,
        minutes: (2, 6),
        limit: Some(2_000.0),
    };
    // The hour binds: 5,000 in it, while the minute would permit 6,000.
    let by_hour = |name, headers, other| Setting {
        minutes: (60, 120),
        limit: Some(5_000.0 / 60.0),
        ..by_minute(name, tiers(headers), 1.0, other)
    };
    let none = Setting {
        requests_per_minute: 600,
        limit: None,
        ..by_minute("none, 600/min configured", Throttle::None, 0.8, Other::Nobody)
    };
    let always = || Throttle::Always(minute);
    let only = || Throttle::Only429(minute);
    vec![
        by_minute("2,000/min, always", always(), 0.8, Other::Nobody),
        by_minute("2,000/min, always", always(), 1.0, Other::Nobody),
        by_minute("2,000/min, always", always(), 0.8, Other::Steady(500)),
        by_minute("2,000/min, always", always(), 0.8, Other::Bursts(500)),
        by_minute("2,000/min, only with 429", only(), 0.8, Other::Nobody),
        by_minute("2,000/min, only with 429", only(), 0.8, Other::Steady(500)),
        none,
        by_hour("5,000/h + 100/min, always", Headers::Always, Other::Nobody),
        by_hour("5,000/h + 100/min, always", Headers::Always, Other::Steady(21)),
        by_hour("5,000/h + 100/min, always", Headers::Always, Other::Bursts(21)),
        by_hour("5,000/h + 100/min, only with 429", Headers::Only429, Other::Nobody),
    ]
}

/// Runs one setting and prints its line.
fn run(setting: &Setting) {
    let moments = simulate(setting, &[setting.minutes.0, setting.minutes.1]);
    let (warm, counted) = (moments[0], moments[1]);
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let minutes = setting.minutes.1 as f64;
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let (passed, others) =
        ((counted.passed - warm.passed) as f64, (counted.others - warm.others) as f64);
    let permitted = match setting.limit {
        Some(limit) => (setting.share * limit * minutes).min(limit * minutes - others),
        None => f64::from(setting.requests_per_minute) * minutes,
    };
    let (limits, headers) = setting.name.split_once(", ").unwrap();
    let other = match setting.other {
        Other::Nobody => "none".to_owned(),
        Other::Steady(count) => format!("{count}/min, evenly"),
        Other::Bursts(count) => format!("{count}/min, at once"),
    };
    println!(
        "| {limits} | {headers} | {} | {other} | {permitted:.0} | {passed:.0} | {:.1} % | {} | {} | {} |",
        setting.share,
        100.0 * passed / permitted,
        warm.throttled,
        counted.throttled - warm.throttled,
        counted.others_throttled - warm.others_throttled,
    );
}

/// Prints what becomes of a limit of one endpoint, minute by minute.
fn endpoint() {
    let limit = EndpointLimit::new("group", "/groups/:id", Limit::per_minute(200));
    let setting = Setting {
        name: "group",
        throttle: Throttle::Always(Limit::per_minute(2_000)),
        endpoints: EndpointLimits::none().with(limit),
        requests_per_minute: 600,
        share: 0.8,
        other: Other::Nobody,
        minutes: (0, 0),
        limit: None,
    };
    let counted = simulate(&setting, &[1; 15]);
    let mut before = Counted::default();
    let (mut passed, mut refused) = (Vec::new(), Vec::new());
    for now in counted {
        passed.push((now.passed - before.passed).to_string());
        refused.push((now.throttled - before.throttled).to_string());
        before = now;
    }
    println!("application limiter, 200/min on one endpoint, without headers:");
    println!("refused in each minute: {}", refused.join(" "));
    println!("passed in each minute: {}", passed.join(" "));
}

/// Lets the clients ask for some stretches of minutes, and returns what was counted after each.
fn simulate(setting: &Setting, stretches: &[u64]) -> Vec<Counted> {
    let start: Timestamp = START.parse().unwrap();
    let world_clock = WorldClock::at(start);
    let (gitlab, group, _server) = serve(setting, &world_clock);
    let ours = Arc::new(FakeClock::new(start));
    let clocks = Clocks { world: world_clock, ours: Arc::clone(&ours) };
    let url = Url::parse(&gitlab.url()).unwrap();
    let mut settings = Settings::new(url.clone(), Credential::PrivateToken(gitlab.token().into()));
    settings.requests_per_minute = setting.requests_per_minute;
    settings.share = setting.share;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        // The clock's task is always ready: answers are looked for after each of its steps.
        .event_interval(1)
        .build()
        .unwrap();
    let counted = runtime.block_on(LocalSet::new().run_until(async {
        // Without this the runtime would move its clock itself whenever it waits for an answer.
        let (hold, released) = std::sync::mpsc::channel::<()>();
        let holder = tokio::task::spawn_blocking(move || released.recv());
        let client = Client::new(settings, ours).unwrap();
        let is_endpoint = !setting.endpoints.entries.is_empty();
        for _ in 0..WORKERS {
            let (client, group) = (client.clone(), group.clone());
            tokio::task::spawn_local(async move {
                loop {
                    // What is refused is counted, and asked for again.
                    if is_endpoint {
                        let _ = client.group(&group).await;
                    } else {
                        let _ = client.version().await;
                    }
                }
            });
        }
        let tally = Rc::new(Tally::default());
        let other = OtherClient {
            http: reqwest::Client::new(),
            url: url.join("/api/v4/version").unwrap(),
            token: gitlab.token().to_owned(),
            tally: Rc::clone(&tally),
        };
        tokio::task::spawn_local(other.ask(setting.other));
        let mut counted = Vec::new();
        for minutes in stretches {
            let end = Instant::now() + Duration::from_mins(*minutes);
            go_on(&clocks, &client, &tally, end).await;
            let stats = client.stats();
            let answered = stats.requests - client.budget().in_flight;
            counted.push(Counted {
                passed: answered - stats.throttled,
                throttled: stats.throttled,
                others: tally.passed.get(),
                others_throttled: tally.throttled.get(),
            });
        }
        drop(hold);
        let _ = holder.await;
        counted
    }));
    runtime.shutdown_background();
    counted
}

/// Moves all clocks until a moment. They stand still while an answer is waited for too long.
async fn go_on(clocks: &Clocks, client: &Client, tally: &Tally, end: Instant) {
    let mut seen = (0, 0, 0);
    let mut since = Instant::now();
    while Instant::now() < end {
        let out = client.budget().in_flight + tally.out.get();
        let now = (client.stats().requests, out, tally.passed.get());
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
        if out == 0 || since.elapsed() < LATENCY {
            tokio::time::advance(STEP).await;
            let step = SignedDuration::try_from(STEP).unwrap();
            clocks.ours.advance(step);
            clocks.world.advance(step);
        } else {
            std::thread::yield_now();
        }
        if out > 0 {
            // Time for the server on the other thread.
            std::thread::sleep(Duration::from_micros(200));
        }
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
    }
}

/// A client that knows no pace.
struct OtherClient {
    http: reqwest::Client,
    url: Url,
    token: String,
    tally: Rc<Tally>,
}

impl OtherClient {
    async fn ask(self, other: Other) {
        let this = Rc::new(self);
        match other {
            Other::Nobody => {}
            Other::Steady(per_minute) => {
                let gap = Duration::from_mins(1) / u32::try_from(per_minute).unwrap();
                let mut ticks = tokio::time::interval(gap);
                loop {
                    ticks.tick().await;
                    tokio::task::spawn_local(Rc::clone(&this).once());
                }
            }
            Other::Bursts(size) => {
                let mut minutes = tokio::time::interval(Duration::from_mins(1));
                for turn in 0_u64.. {
                    minutes.tick().await;
                    let this = Rc::clone(&this);
                    tokio::task::spawn_local(async move {
                        tokio::time::sleep(Duration::from_secs(turn * 17 % 55)).await;
                        for _ in 0..size {
                            Rc::clone(&this).once().await;
                        }
                    });
                }
            }
        }
    }

    async fn once(self: Rc<Self>) {
        let mut request = reqwest::Request::new(reqwest::Method::GET, self.url.clone());
        request.headers_mut().insert("private-token", self.token.parse().unwrap());
        self.tally.out.set(self.tally.out.get() + 1);
        let status = self.http.execute(request).await.map(|response| response.status());
        self.tally.out.set(self.tally.out.get() - 1);
        if status.is_ok_and(|status| status.is_success()) {
            self.tally.passed.set(self.tally.passed.get() + 1);
        } else {
            self.tally.throttled.set(self.tally.throttled.get() + 1);
        }
    }
}

/// Serves a small world from a thread of its own, and returns it with the path of a group.
fn serve(setting: &Setting, clock: &WorldClock) -> (GitLab, String, tokio::runtime::Runtime) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let options = Options {
        throttle: setting.throttle.clone(),
        endpoint_limits: setting.endpoints.clone(),
        log_size: Some(1),
        ..Options::default()
    };
    let mut world = World::with_clock(clock.clone());
    world.add_group("acme");
    let gitlab = runtime.block_on(GitLab::start(world, options)).unwrap();
    gitlab.tell_world_time();
    (gitlab, "acme".to_owned(), runtime)
}
