//! The simulated GitLab as a client meets it: over HTTP, on a real port.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

mod access;
mod agreement;
mod client;
mod control;
mod documents;
mod effects;
mod faults;
mod files;
mod filters;
mod generated;
mod graphql;
mod hook_delivery;
mod hook_samples;
mod hook_shapes;
mod hooks;
mod items;
mod job_tokens;
mod leaks;
mod life;
mod log;
mod naive;
mod paging;
mod project_rows;
mod projects;
mod receiver;
mod recorded;
mod section12;
mod throttle;
mod tokens;
mod tour;
mod users;
