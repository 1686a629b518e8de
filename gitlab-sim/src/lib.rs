//! A simulated GitLab: REST v4 over real HTTP, stateful, deterministic, of any size.
//!
//! ```text
//! clock  <- world <- rest <- server -> a real port
//!             ^
//!         generator -> truth
//! ```
//!
//! - [`world`] is the state, to be built and changed by hand or by the generator.
//! - `rest` renders it in GitLab's shapes, with its paging, orders, filters and errors.
//! - `throttle` and `auth` decide who may ask how often, from what `asked` shows of a request.
//! - `server` ([`GitLab`], [`Options`]) puts it on a port and keeps a log of requests.
//! - [`Generator`] writes a believable organisation from a seed, and with it the [`truth`] of what
//!   belongs where: it knows what it means, so it parses nothing.
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
mod generator;
mod hash;
mod log;
mod rest;
mod server;
mod throttle;
pub mod truth;
pub mod world;

pub use bulk::Bulk;
pub use clock::Clock;
pub use generator::Generator;
pub use log::Request;
pub use server::{GitLab, Options, Tier};
pub use throttle::{
    Class, EndpointLimit, EndpointLimits, EndpointScope, Headers, Limit, Plan, Rule,
    SMALLEST_DEDICATED, Throttle, Throttles, Who,
};
pub use truth::Truth;
pub use world::World;
