//! Who comes in: bans, the request throttle, credentials, the limits of endpoints.
//!
//! Every request passes here before anything is answered, whatever interface it asks. The limits
//! can be changed while the instance is served. Nothing here reads a body or touches the world.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use jiff::Timestamp;

use super::{GitLab, lock};
use crate::asked::Asked;
use crate::auth::{self, job_route};
use crate::rest::answer::{Answer, Failure};
use crate::throttle::{
    Buckets, EndpointBuckets, EndpointLimits, Throttle, Throttles, refusal_of_endpoint,
};
use crate::world::{Caller, User, World};

/// All limits, with their counters.
#[derive(Debug)]
pub(crate) struct Limits {
    rules: RwLock<Rules>,
    buckets: Mutex<Buckets>,
    endpoint_buckets: Mutex<EndpointBuckets>,
}

#[derive(Debug)]
struct Rules {
    throttles: Throttles,
    endpoints: EndpointLimits,
    /// Until when an address is banned; nothing means until it is lifted.
    banned: BTreeMap<IpAddr, Option<Timestamp>>,
    trust_forwarded_for: bool,
}

/// What became of a request at the door.
pub(super) struct Admitted<'w> {
    /// Who asks, or why nobody does.
    pub(super) caller: Result<Caller<'w>, Failure>,
    /// The answer, if the request gets no further.
    pub(super) refusal: Option<Answer>,
    /// The headers of the throttle, for whatever is answered.
    pub(super) headers: Vec<(header::HeaderName, String)>,
}

impl<'w> Admitted<'w> {
    /// Returns the user who asks, if one does.
    pub(super) fn user(&self) -> Option<&'w User> {
        self.caller.as_ref().ok().and_then(|caller| caller.user())
    }
}

/// Adds the headers of the throttle to an answer. An answer with status 429 comes from the
/// application limiter, and GitLab leaves that alone.
pub(super) fn describe(mut answer: Answer, headers: Vec<(header::HeaderName, String)>) -> Answer {
    if answer.status != StatusCode::TOO_MANY_REQUESTS {
        answer.headers.extend(headers);
    }
    answer
}

impl Limits {
    pub(super) fn new(
        throttle: Throttle,
        endpoints: EndpointLimits,
        banned: impl IntoIterator<Item = IpAddr>,
        trust_forwarded_for: bool,
    ) -> Self {
        Self {
            rules: RwLock::new(Rules {
                throttles: throttle.into(),
                endpoints,
                banned: banned.into_iter().map(|address| (address, None)).collect(),
                trust_forwarded_for,
            }),
            buckets: Mutex::default(),
            endpoint_buckets: Mutex::default(),
        }
    }

    fn rules(&self) -> RwLockReadGuard<'_, Rules> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn rules_mut(&self) -> RwLockWriteGuard<'_, Rules> {
        self.rules.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies the limits in force, and who is banned until when.
    pub(crate) fn copied(
        &self,
    ) -> (Throttles, EndpointLimits, BTreeMap<IpAddr, Option<Timestamp>>) {
        let rules = self.rules();
        (rules.throttles.clone(), rules.endpoints.clone(), rules.banned.clone())
    }

    /// Replaces the request throttle. All its windows begin anew.
    pub(crate) fn set_throttle(&self, throttle: Throttle) {
        let mut rules = self.rules_mut();
        rules.throttles = throttle.into();
        *lock(&self.buckets) = Buckets::default();
    }

    /// Replaces the limits of endpoints. All their windows begin anew.
    pub(crate) fn set_endpoints(&self, endpoints: EndpointLimits) {
        let mut rules = self.rules_mut();
        rules.endpoints = endpoints;
        *lock(&self.endpoint_buckets) = EndpointBuckets::default();
    }

    /// Bans an address until a moment, or until the ban is lifted.
    pub(crate) fn ban(&self, address: IpAddr, until: Option<Timestamp>) {
        self.rules_mut().banned.insert(address, until);
    }

    /// Lifts the ban of an address. Returns false when there was none.
    pub(crate) fn lift_ban(&self, address: IpAddr) -> bool {
        self.rules_mut().banned.remove(&address).is_some()
    }

    /// Returns the address that a request came from, as GitLab would see it.
    pub(super) fn address(&self, parts: &Parts) -> IpAddr {
        let forwarded = self.rules().trust_forwarded_for.then(|| {
            let chain = parts.headers.get("x-forwarded-for")?.to_str().ok()?;
            chain.split(',').next()?.trim().parse().ok()
        });
        forwarded.flatten().unwrap_or_else(|| {
            let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
            peer.map_or(IpAddr::from([127, 0, 0, 1]), |ConnectInfo(peer)| peer.ip())
        })
    }

    /// Finds the caller of a request and counts it against all limits.
    pub(super) fn admit<'w>(&self, world: &'w World, asked: &Asked<'_>) -> Admitted<'w> {
        let rules = self.rules();
        let now = world.clock().now();
        if let Some(end) = rules.banned.get(&asked.address)
            && end.is_none_or(|end| now < end)
        {
            return Admitted {
                caller: Ok(Caller::Anonymous),
                refusal: Some(ban()),
                headers: Vec::new(),
            };
        }
        let jobs = job_route::job_tokens(asked);
        let caller = auth::caller(world, asked.headers, asked.query, jobs);
        let owner = match &caller {
            // Whoever acts for another by `sudo` uses up their own quota.
            Ok(Caller::User { token, .. }) => world.user(token.user),
            Ok(Caller::Anonymous) => None,
            // A token that works is known at the door, even if what it is used for is refused.
            Err(_) => auth::find_token(world, asked.headers, asked.query, jobs)
                .ok()
                .flatten()
                .filter(|token| token.active(now))
                .and_then(|token| world.user(token.user)),
        };
        let mut admitted = Admitted { caller, refusal: None, headers: Vec::new() };
        if !rules.throttles.rules.is_empty() {
            let measured = lock(&self.buckets).count(&rules.throttles, asked, owner, now);
            match measured {
                Some(measured) if measured.exceeded() => {
                    admitted.refusal = Some(measured.refusal());
                    return admitted;
                }
                Some(measured) => admitted.headers = measured.headers(),
                None => {}
            }
        }
        if !rules.endpoints.entries.is_empty() && admitted.caller.is_ok() {
            let exceeds =
                lock(&self.endpoint_buckets).exceeds(&rules.endpoints, asked, world, owner, now);
            admitted.refusal = exceeds.then(|| refusal_of_endpoint(&rules.endpoints, asked));
        }
        admitted
    }
}

/// Returns what a banned address gets, whatever it asks for.
fn ban() -> Answer {
    Answer {
        status: StatusCode::FORBIDDEN,
        headers: vec![(header::CONTENT_TYPE, "text/plain".to_owned())],
        body: b"Forbidden\n".to_vec(),
    }
}

impl GitLab {
    /// Replaces the request throttle. All its windows begin anew.
    pub fn set_throttle(&self, throttle: Throttle) {
        self.shared.limits.set_throttle(throttle);
    }

    /// Replaces the limits of endpoints. All their windows begin anew.
    pub fn set_endpoint_limits(&self, endpoints: EndpointLimits) {
        self.shared.limits.set_endpoints(endpoints);
    }

    /// Bans an address: whatever it asks for, the answer is 403. Without an end the ban lasts
    /// until [`Self::lift_ban`].
    pub fn ban(&self, address: IpAddr, until: Option<Timestamp>) {
        self.shared.limits.ban(address, until);
    }

    /// Lifts the ban of an address. Returns false when there was none.
    pub fn lift_ban(&self, address: IpAddr) -> bool {
        self.shared.limits.lift_ban(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_429_of_an_endpoint_gets_no_headers_of_the_throttle() {
        for (status, count) in [(StatusCode::OK, 2), (StatusCode::TOO_MANY_REQUESTS, 1)] {
            let answer = Answer { status, ..Answer::json(&()) };
            let headers = vec![(header::HeaderName::from_static("ratelimit-name"), String::new())];
            assert_eq!(describe(answer, headers).headers.len(), count, "{status}");
        }
    }
}
