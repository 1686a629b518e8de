//! Webhooks and system hooks: what GitLab tells others, and what it forgets to tell.
//!
//! ```text
//! world events -> outline (who may want it) -> payload (the body) -> registry (queue per hook)
//!                                                                      -> delivery (a task) -> POST
//! ```
//!
//! - [`Hook`] says of what it hears and where it sends; `health` disables and heals it.
//! - `outline` decides what an event of the world is called and who hears of it.
//! - `payload` renders the body, while the world is still locked: it says what was true then.
//! - `registry` holds the hooks, their queues and the `log`; `sender` makes the headers, `sign` the
//!   signature, `delivery` sends.
//!
//! # What is promised
//!
//! - A body says what was true when the change was over: when the guard of the world, under which
//!   it happened, was given back.
//! - Events of one hook are sent in their order, one at a time; hooks do not wait for each other.
//!   GitLab promises no order at all.
//! - An answer below 400 is a success, whatever it says; redirects are not followed. Anything else,
//!   and no answer within [`HookOptions::timeout`], is a failure.
//! - A delivery that failed is sent again [`HookOptions::retries`] times, at once, under the same
//!   `Idempotency-Key`, with a new `X-Gitlab-Webhook-UUID`. GitLab's own service takes an HTTP
//!   failure as final; it is the job queue around it that runs a delivery again, up to four times,
//!   when its worker died, perhaps after the receiver had taken it. A receiver cannot tell one from
//!   the other and has to be ready for both, so one repetition is the default here. It counts as
//!   one failure of the hook, however often it was tried.
//! - Four failures in a row disable a hook of a project or group for a minute, doubling up to a
//!   day; forty disable it until it is enabled again. System hooks are never disabled. Events that
//!   happen meanwhile are lost.
//! - Nothing is sent when an issue, a merge request, a note or a label is deleted, and nothing when
//!   a label is renamed.
//!
//! Refused on purpose: body templates, URL variables, TLS, recursion (no receiver can write here),
//! and hooks of events that the world does not have (jobs, wikis, deployments, …).

mod delivery;
mod health;
mod hook;
mod log;
mod outline;
mod payload;
mod registry;
mod sender;
mod sign;
mod window;

use std::time::Duration;

pub use health::Alert;
pub use hook::{Hook, HookId, HookState, Refusal, Scope, Switch};
pub use log::{Delivery, Loss, Outcome};

pub(crate) use delivery::deliver;
pub(crate) use registry::Registry;

/// How hooks are delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookOptions {
    /// How long a receiver may take to answer; GitLab gives it 10 s.
    pub timeout: Duration,
    /// How often a delivery that failed is sent again under the same `Idempotency-Key`.
    pub retries: u32,
    /// Whether failures disable a hook, as the flag `auto_disabling_web_hooks` of GitLab decides.
    pub auto_disable: bool,
    /// How many events per minute and top-level group are delivered; the others are dropped.
    /// Without a number all are, as on self-managed instances.
    pub per_minute: Option<u32>,
    /// Silent mode: nothing is delivered.
    pub silent: bool,
}

impl Default for HookOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            retries: 1,
            auto_disable: true,
            per_minute: None,
            silent: false,
        }
    }
}
