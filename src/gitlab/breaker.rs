//! The breaker of a host: when everything fails, nothing more is sent for a while.
//!
//! A GitLab that is being deployed answers every request with an error page for up to a minute. To
//! try each request a few times would cost many requests and lose them all. So after several
//! failures in a row that are the host's own, all requests wait, one is sent ahead to see, and
//! they go on when it is answered. It never decides what a failure means: that is
//! [`super::Error::verdict`]'s.

use super::Error;

/// The breaker of one host.
#[derive(Debug)]
pub(super) struct Breaker {}

impl Breaker {
    pub(super) fn new() -> Self {
        Self {}
    }

    /// Waits until a request may be sent.
    ///
    /// # Errors
    ///
    /// When the host has not answered for so long that there is no point in waiting.
    #[expect(clippy::unused_async, reason = "it waits once it can open")]
    pub(super) async fn pass(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Takes note that the host answered, whatever it said.
    pub(super) fn answered(&self) {}

    /// Takes note of a failure that may be the host's own.
    pub(super) fn failed(&self, _error: &Error) {}
}
