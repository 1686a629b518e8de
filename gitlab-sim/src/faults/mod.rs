//! Trouble on demand: what goes wrong, with which requests, and when.
//!
//! A [`Fault`] says what happens ([`FaultKind`]), to which requests ([`Requests`]) and when
//! ([`When`]). [`Faults`] holds those that are in force; a test adds them by
//! [`GitLab::faults`](crate::GitLab::faults), a script by the control API. A [`FaultSchedule`]
//! makes them up from a seed instead.
//!
//! - `requests` decides whether a request is meant, `plan` whether it is struck now.
//! - `edge` writes the answers that come in place of GitLab's, `delivery` spoils good ones.
//! - The server calls them in that order; nothing here looks at the world.
//!
//! Times are those of the world's clock, so that a burst ends when a test moves the clock. Chance
//! follows from a seed. What is no fault of the instance is not here: limits have their own module,
//! and a token that really expires is a matter of the world.

pub(crate) mod chance;
pub(crate) mod delivery;
pub(crate) mod edge;
mod kind;
mod plan;
mod requests;
mod schedule;

pub use kind::{FaultKind, Refusal};
pub use plan::{Fault, FaultId, FaultState, Faults, When};
pub use requests::{Heavy, RequestKind, Requests};
pub use schedule::{FaultProfile, FaultSchedule};

pub(crate) use kind::Stage;
pub(crate) use requests::Seen;
