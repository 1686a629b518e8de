//! A simulated GitLab: REST v4 over real HTTP, stateful, deterministic, of any size.
//!
//! ```text
//! clock  <- world <- rest <- server -> a real port
//!             ^
//!  generator, life -> truth
//! ```
//!
//! - [`world`] is the state, to be built and changed by hand or by the generator.
//! - `rest` renders it in GitLab's shapes, with its paging, orders, filters and errors.
//! - `throttle` and `auth` decide who may ask how often, from what `asked` shows of a request.
//! - `server` ([`GitLab`], [`Options`]) puts it on a port and keeps a log of requests.
//! - [`hooks`] tells others what happened: webhooks and system hooks.
//! - [`Generator`] writes a believable organisation from a seed, and [`Life`] goes on with it while
//!   somebody reads. They know what they mean, so they parse nothing: they record it in a
//!   [`Ledger`], from which the [`truth`] of any moment is told, as a given token sees it.
//! - [`Bulk`] writes a plain world of any size, in seconds and in little memory.
//!
//! The crate refuses to know xrefd: it is the other side, against which xrefd is tested.
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! use gitlab_sim::{GitLab, Options, world::{NewIssue, NewProject, World}};
//!
//! let mut world = World::new();
//! let webshop = world.add_project(NewProject::at("acme/shop/webshop").topics(["service-webshop"]));
//! world.add_issue(webshop, NewIssue::new("Checkout is slow").labels(["service::webshop"]));
//!
//! let gitlab = GitLab::start(world, Options::default()).await?;
//! // … let a client read from gitlab.url() with gitlab.token() …
//! assert_eq!(gitlab.requests_for("/notes"), 0);
//! gitlab.stop().await;
//! # Ok(())
//! # }
//! ```

mod asked;
mod auth;
mod bulk;
mod clock;
mod control;
mod digits;
pub mod faults;
mod generator;
mod graphql;
mod hash;
pub mod hooks;
mod latency;
pub mod life;
mod log;
mod rest;
mod server;
mod throttle;
pub mod truth;
pub mod world;

pub use bulk::Bulk;
pub use clock::Clock;
pub use generator::Generator;
pub use graphql::BlobRegime;
pub use latency::{Delay, Latency};
pub use life::Life;
pub use log::Request;
pub use server::{GitLab, Options, Pace, Tier};
pub use throttle::{
    Class, EndpointLimit, EndpointLimits, EndpointScope, Headers, Limit, Plan, Rule,
    SMALLEST_DEDICATED, Throttle, Throttles, Who,
};
pub use truth::{Ledger, State, Truth};
pub use world::World;
