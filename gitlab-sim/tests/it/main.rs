//! The simulated GitLab as a client meets it: over HTTP, on a real port.

mod access;
mod client;
mod files;
mod generated;
mod items;
mod paging;
mod projects;
mod recorded;
mod throttle;
