//! The simulated GitLab on a real port.
//!
//! [`GitLab`] is the handle that a test holds; `pipeline` is the way that every request takes, and
//! `admission` its door. The world is changed through [`GitLab::world`], never by a request of a
//! client, but for one that rotates a token.

mod admission;
mod pipeline;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::log::Request;
use crate::rest::stale::Stale;
use crate::throttle::{EndpointLimits, Throttle};
use crate::world::World;
use admission::Limits;

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

/// How the instance presents itself.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each switches one behaviour on")]
pub struct Options {
    /// The request throttle.
    pub throttle: Throttle,
    /// The limits of single endpoints: the application limiter.
    pub endpoint_limits: EndpointLimits,
    /// Addresses that get 403 whatever they ask for.
    pub banned: BTreeSet<IpAddr>,
    /// True when the first address of `X-Forwarded-For` is the client's, as behind a proxy that
    /// sets it.
    pub trust_forwarded_for: bool,
    /// The external address, from which all links are built; without it the listening address.
    pub external_url: Option<String>,
    /// Edition and licence.
    pub tier: Tier,
    /// The version that it claims.
    pub version: String,
    /// Keep rows of merge request lists of projects for up to eight hours, as GitLab does: the
    /// number of comments can be old, unless `with_labels_details` is asked for.
    pub stale_lists: bool,
    /// Send the one constant entity tag that endpoints behind Workhorse had until 2026, and
    /// answer it with a false 304.
    pub constant_etag: bool,
    /// How deep offset paging may go where there is keyset paging too: the number of the page times
    /// its size. 0 means as deep as one likes.
    pub offset_ceiling: u64,
    /// True for an instance of an early version, which applies the ceiling to projects too.
    pub projects_have_ceiling: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            throttle: Throttle::None,
            endpoint_limits: EndpointLimits::none(),
            banned: BTreeSet::new(),
            trust_forwarded_for: false,
            external_url: None,
            tier: Tier::default(),
            version: "19.6.0-ee".to_owned(),
            stale_lists: true,
            constant_etag: false,
            offset_ceiling: 50_000,
            projects_have_ceiling: false,
        }
    }
}

/// What of the options the answers depend on.
#[derive(Debug)]
pub(crate) struct Site {
    /// The external address without a slash at its end.
    pub(crate) url: String,
    pub(crate) tier: Tier,
    pub(crate) version: String,
    pub(crate) stale_lists: bool,
    pub(crate) stale: Stale,
    pub(crate) constant_etag: bool,
    pub(crate) offset_ceiling: u64,
    pub(crate) projects_have_ceiling: bool,
}

/// What all connections share.
pub(crate) struct Shared {
    world: RwLock<World>,
    requests: Mutex<Vec<Request>>,
    site: Site,
    limits: Limits,
}

/// A running simulated GitLab. It stops when dropped.
pub struct GitLab {
    shared: Arc<Shared>,
    address: SocketAddr,
    token: String,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
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
    #[expect(
        clippy::disallowed_methods,
        reason = "the accept loop is the one task of the simulator, and stop() waits for it"
    )]
    pub async fn bind(
        addr: SocketAddr,
        mut world: World,
        options: Options,
    ) -> std::io::Result<Self> {
        world.settle();
        let listener = TcpListener::bind(addr).await?;
        let address = listener.local_addr()?;
        let url = options.external_url.unwrap_or_else(|| format!("http://{address}"));
        let token = world.bot_token().to_owned();
        let mut world = world;
        world.known_as(&url);
        let shared = Arc::new(Shared {
            world: RwLock::new(world),
            requests: Mutex::default(),
            site: Site {
                url: url.trim_end_matches('/').to_owned(),
                tier: options.tier,
                version: options.version,
                stale_lists: options.stale_lists,
                stale: Stale::default(),
                constant_etag: options.constant_etag,
                offset_ceiling: options.offset_ceiling,
                projects_have_ceiling: options.projects_have_ceiling,
            },
            limits: Limits::new(
                options.throttle,
                options.endpoint_limits,
                options.banned,
                options.trust_forwarded_for,
            ),
        });
        let router = Router::new().fallback(pipeline::handle).with_state(Arc::clone(&shared));
        let (stop, stopped) = oneshot::channel::<()>();
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        let serve = axum::serve(listener, router).with_graceful_shutdown(async {
            // An error means that the handle was dropped, which is as good as being told.
            let _ = stopped.await;
        });
        let task = tokio::spawn(async move {
            if let Err(error) = serve.await {
                tracing::error!(%error, "the simulated GitLab stopped serving");
            }
        });
        Ok(Self { shared, address, token, stop: Some(stop), task: Some(task) })
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
        lock(&self.shared.requests).clone()
    }

    /// Empties the log of requests.
    pub fn forget_requests(&self) {
        lock(&self.shared.requests).clear();
    }

    /// Counts the requests whose path and query hold some text, as sent or decoded.
    pub fn requests_for(&self, part: &str) -> usize {
        lock(&self.shared.requests).iter().filter(|request| request.holds(part)).count()
    }

    /// Stops serving: answers under way are finished, connections closed, the port freed.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if let Some(mut task) = self.task.take()
            && tokio::time::timeout(STOP_PATIENCE, &mut task).await.is_err()
        {
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

    /// Locks the world to change it.
    pub(crate) fn change(&self) -> impl DerefMut<Target = World> + '_ {
        let world = self.world.write().unwrap_or_else(PoisonError::into_inner);
        Changing { world, shared: self }
    }

    /// Does what follows a change, while the world is still locked.
    #[expect(clippy::unused_self, reason = "webhooks listen here")]
    fn changed(&self, world: &mut World) {
        world.settle();
        drop(world.take_events());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A test that panicked under the guard must not take the others' server down.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
