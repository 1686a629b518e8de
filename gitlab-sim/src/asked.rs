//! A request as it stands at the door, before anybody looked at the world for it.
//!
//! Throttles and credentials need the same few things of a request; this is where they are named
//! once. It refuses to hold a body: limits and credentials never depend on one.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method};

use crate::rest::query::Query;

/// What a request shows of itself.
#[derive(Debug)]
pub(crate) struct Asked<'r> {
    pub(crate) method: &'r Method,
    /// The path as sent.
    pub(crate) path: &'r str,
    pub(crate) query: &'r Query,
    pub(crate) headers: &'r HeaderMap,
    /// Where it came from.
    pub(crate) address: IpAddr,
}

impl<'r> Asked<'r> {
    /// Returns the parts of the path below the REST interface, as sent.
    pub(crate) fn segments(&self) -> Vec<&'r str> {
        self.path.strip_prefix("/api/v4/").map_or_else(Vec::new, |rest| rest.split('/').collect())
    }

    /// Tells whether the request only reads.
    pub(crate) fn reads(&self) -> bool {
        matches!(*self.method, Method::GET | Method::HEAD)
    }

    /// Returns a header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&'r str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
