//! The simulated GitLab on a real port.
//!
//! [`GitLab`] is the handle that a test holds. Every request comes in by `entry`, where faults, waits
//! and the control API are, and is answered by `pipeline`, whose door is `admission`; `wire` is the
//! connection below. The world is changed through [`GitLab::world`] and the control API, never by a
//! request of a client, but for one that rotates a token.

pub(crate) mod admission;
mod entry;
mod hooks;
mod living;
mod pipeline;
pub(crate) mod wire;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use axum::Router;
use living::Living;
pub use living::Pace;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::faults::{FaultSchedule, Faults};
use crate::graphql::BlobRegime;
use crate::hooks::{HookOptions, Registry};
use crate::latency::Latency;
use crate::log::{Log, Request};
use crate::rest::kept::ProjectRows;
use crate::rest::stale::Stale;
use crate::throttle::{EndpointLimits, Throttle};
use crate::world::World;
use admission::Limits;
use wire::{Lines, Peer};

/// How long [`GitLab::stop`] waits for answers that are under way.
const STOP_PATIENCE: Duration = Duration::from_secs(2);

/// The edition and licence of the instance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tier {
    /// Community edition: approval rules have no address (404).
    Community,
    /// Enterprise edition without a licence: approval rules are forbidden (403).
    #[default]
    Free,
    /// With a licence: approval rules are served.
    Premium,
}

/// How an instance is run: how it presents itself, what it refuses, what goes wrong, and how it can
/// be watched. Each field can be left at its default, which is a fresh self-managed GitLab of a
/// recent version in which nothing goes wrong.
///
/// What can change while the instance runs is changed by a method of [`GitLab`] or by the control
/// API: limits, bans, waits, faults, hooks. The rest stays as it was said at the start.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each switches one behaviour on")]
pub struct Options {
    // How the instance presents itself.
    /// The external address, from which all links are built; without it the listening address.
    pub external_url: Option<String>,
    /// Edition and licence.
    pub tier: Tier,
    /// The version that it claims. Before 18.3 lists of issues of projects have no keyset paging.
    pub version: String,

    // Habits of lists and files that changed with the versions.
    /// How deep offset paging may go where there is keyset paging too: the number of the page times
    /// its size. 0 means as deep as one likes.
    pub offset_ceiling: u64,
    /// True for an instance of an early version, which applies the ceiling to projects too.
    pub projects_have_ceiling: bool,
    /// Keep rows of merge request lists of projects for up to eight hours, as GitLab does: the
    /// number of comments can be old, unless `with_labels_details` is asked for.
    pub stale_lists: bool,
    /// Send the one constant entity tag that endpoints behind Workhorse had until 2026, and
    /// answer it with a false 304.
    pub constant_etag: bool,

    // GraphQL.
    /// What GraphQL charges for blobs.
    pub blobs: BlobRegime,
    /// How many fields a GraphQL query may resolve before its time is up: the rest is null, with
    /// an error for each. Without a number no query takes too long.
    pub graphql_fields: Option<u64>,

    // Limits.
    /// The request throttle.
    pub throttle: Throttle,
    /// The limits of single endpoints: the application limiter.
    pub endpoint_limits: EndpointLimits,
    /// Addresses that get 403 whatever they ask for.
    pub banned: BTreeSet<IpAddr>,
    /// True when the first address of `X-Forwarded-For` is the client's, as behind a proxy that
    /// sets it.
    pub trust_forwarded_for: bool,

    // Webhooks.
    /// How webhooks are delivered.
    pub hooks: HookOptions,

    // Trouble.
    /// How long answers take, by kind of request.
    pub latency: Latency,
    /// The schedule by which things go wrong.
    pub faults: Option<FaultSchedule>,

    // For whoever watches.
    /// Whether the control API is served below `/_sim`, to anybody who reaches the port.
    pub control: bool,
    /// How many requests the log keeps at most; without a bound it keeps all.
    pub log_size: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            external_url: None,
            tier: Tier::default(),
            version: "19.6.0-ee".to_owned(),
            offset_ceiling: 50_000,
            projects_have_ceiling: false,
            stale_lists: true,
            constant_etag: false,
            blobs: BlobRegime::default(),
            graphql_fields: None,
            throttle: Throttle::None,
            endpoint_limits: EndpointLimits::none(),
            banned: BTreeSet::new(),
            trust_forwarded_for: false,
            hooks: HookOptions::default(),
            latency: Latency::default(),
            faults: None,
            control: false,
            log_size: None,
        }
    }
}

/// What of the options the answers depend on. It stays as it was at the start.
#[derive(Debug)]
pub(crate) struct Site {
    /// The external address without a slash at its end.
    pub(crate) url: String,
    pub(crate) tier: Tier,
    pub(crate) version: String,
    pub(crate) project_rows: ProjectRows,
    pub(crate) offset_ceiling: u64,
    pub(crate) projects_have_ceiling: bool,
    pub(crate) stale_lists: bool,
    /// What lists of merge requests remember.
    pub(crate) stale: Stale,
    pub(crate) constant_etag: bool,
    pub(crate) blobs: BlobRegime,
    pub(crate) graphql_fields: Option<u64>,
    /// The hooks, of which addresses tell too.
    pub(crate) hooks: Arc<Registry>,
}

/// What all connections share.
pub(crate) struct Shared {
    world: RwLock<World>,
    pub(crate) site: Site,
    pub(crate) limits: Limits,
    pub(crate) latency: Mutex<Latency>,
    pub(crate) faults: Faults,
    pub(crate) living: Living,
    pub(crate) log: Mutex<Log>,
    /// Numbers requests over the whole life of the instance.
    number: AtomicU64,
    /// Whether the control API is served.
    control: bool,
    /// Whether `Date` tells the time of the world.
    tells_world_time: AtomicBool,
    /// Cancelled when the instance is to stop: whoever waits, waits no longer.
    stopping: CancellationToken,
}

/// A running simulated GitLab. It stops when dropped.
pub struct GitLab {
    shared: Arc<Shared>,
    address: SocketAddr,
    token: String,
    /// Stops the instance when dropped.
    stop: DropGuard,
    task: JoinHandle<()>,
    hooks: hooks::HookTask,
}

impl GitLab {
    /// Serves a world on a free port of the loopback address.
    pub async fn start(world: World, options: Options) -> std::io::Result<Self> {
        Self::bind(SocketAddr::from(([127, 0, 0, 1], 0)), world, options).await
    }

    /// Serves a world at an address.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened at.
    #[expect(clippy::disallowed_methods, reason = "stop() waits for the accept loop")]
    pub async fn bind(addr: SocketAddr, world: World, options: Options) -> std::io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let address = listener.local_addr()?;
        let url = options.external_url.unwrap_or_else(|| format!("http://{address}"));
        let url = url.trim_end_matches('/').to_owned();
        let mut world = world;
        world.settle();
        world.known_as(&url);
        world.begin_service();
        let token = world.bot_token().to_owned();
        let clock = world.clock().clone();
        let hooks = Arc::new(Registry::new(options.hooks, clock, &url, &options.version));
        let faults = Faults::default();
        faults.follow(options.faults);
        let stopping = CancellationToken::new();
        let shared = Arc::new(Shared {
            world: RwLock::new(world),
            site: Site {
                url,
                tier: options.tier,
                version: options.version,
                offset_ceiling: options.offset_ceiling,
                projects_have_ceiling: options.projects_have_ceiling,
                stale_lists: options.stale_lists,
                stale: Stale::default(),
                project_rows: ProjectRows::default(),
                constant_etag: options.constant_etag,
                blobs: options.blobs,
                graphql_fields: options.graphql_fields,
                hooks: Arc::clone(&hooks),
            },
            limits: Limits::new(
                options.throttle,
                options.endpoint_limits,
                options.banned,
                options.trust_forwarded_for,
            ),
            latency: Mutex::new(options.latency),
            faults,
            living: Living::default(),
            log: Mutex::new(Log::bounded(options.log_size)),
            number: AtomicU64::default(),
            control: options.control,
            tells_world_time: AtomicBool::default(),
            stopping: stopping.clone(),
        });
        shared.living.belongs_to(&shared);
        let router = Router::new().fallback(entry::enter).with_state(Arc::clone(&shared));
        let cut = CancellationToken::new();
        let lines = Lines::new(listener, cut.clone());
        let serve = axum::serve(lines, router.into_make_service_with_connect_info::<Peer>())
            .with_graceful_shutdown(stopping.clone().cancelled_owned());
        let stop = stopping.clone().drop_guard();
        let task = tokio::spawn(async move {
            let mut serve = std::pin::pin!(serve.into_future());
            let impatience = async {
                stopping.cancelled().await;
                tokio::time::sleep(STOP_PATIENCE).await;
            };
            let served = tokio::select! {
                served = &mut serve => served,
                () = impatience => {
                    cut.cancel();
                    serve.await
                }
            };
            if let Err(error) = served {
                tracing::error!(%error, "the simulated GitLab stopped serving");
            }
        });
        let hooks = hooks::HookTask::start(hooks);
        Ok(Self { shared, address, token, stop, task, hooks })
    }

    /// Has `Date` tell the time of the world from now on, for clients that go by it while the
    /// world's clock does not follow the system's. Without this it tells the system's time.
    pub fn tell_world_time(&self) {
        self.shared.tells_world_time.store(true, Ordering::Relaxed);
    }

    /// Returns the address to connect to, such as `http://127.0.0.1:8929`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns a `read_api` token of a bot user that sees everything.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Locks the world, to look at it or change it. Requests wait meanwhile, so the guard must not
    /// be held across an await.
    pub fn world(&self) -> impl DerefMut<Target = World> + '_ {
        self.shared.change()
    }

    /// Returns the requests answered so far, or since [`Self::forget_requests`].
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.log).iter().cloned().collect()
    }

    /// Returns the faults in force, to add and remove some.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Sets how long answers take from now on.
    pub fn set_latency(&self, latency: Latency) {
        *lock(&self.shared.latency) = latency;
    }

    /// Empties the log of requests.
    pub fn forget_requests(&self) {
        lock(&self.shared.log).clear();
    }

    /// Counts the requests whose path and query hold some text, as sent or decoded.
    pub fn requests_for(&self, part: &str) -> usize {
        lock(&self.shared.log).iter().filter(|request| request.holds(part)).count()
    }

    /// Stops serving: answers under way are finished, those that are stuck are cut, connections
    /// closed, the port freed. Webhooks under way are cut.
    pub async fn stop(self) {
        let Self { shared, stop, mut task, hooks, .. } = self;
        shared.living.end().await;
        drop(stop);
        hooks.stop().await;
        if tokio::time::timeout(2 * STOP_PATIENCE, &mut task).await.is_err() {
            task.abort();
        }
    }
}

impl std::fmt::Debug for GitLab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitLab").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The world while it may be changed. When the change is over, what happened is told.
struct Changing<'s> {
    world: RwLockWriteGuard<'s, World>,
    shared: &'s Shared,
}

impl Deref for Changing<'_> {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for Changing<'_> {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.shared.changed(&mut self.world);
    }
}

impl Shared {
    /// Locks the world to read it.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, World> {
        let world = self.world.read().unwrap_or_else(PoisonError::into_inner);
        if !world.has_due() {
            return world;
        }
        drop(world);
        drop(self.change());
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what of the options the answers depend on.
    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    /// Locks the world to change it.
    pub(crate) fn change(&self) -> impl DerefMut<Target = World> + '_ {
        let world = self.world.write().unwrap_or_else(PoisonError::into_inner);
        Changing { world, shared: self }
    }

    /// Does what follows a change, while the world is still locked.
    fn changed(&self, world: &mut World) {
        world.settle();
        let events = world.take_events();
        self.site.hooks.publish(world, &events);
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A test that panicked under the guard must not take the others' server down.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
