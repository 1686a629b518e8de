//! The simulated GitLab as a client meets it: over HTTP, on a real port.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

mod access;
mod client;
mod files;
mod generated;
mod items;
mod job_tokens;
mod paging;
mod projects;
mod recorded;
mod section12;
mod throttle;
mod tokens;
mod tour;
