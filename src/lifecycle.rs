//! Starting and stopping: signals, the two stop tokens, and the tasks that are waited for.
//!
//! The first signal cancels the soft token: everyone ends the unit of work that has begun, and no
//! more. A second signal, or the deadline, cancels the hard one: what is under way is dropped,
//! which the index survives as it survives a kill. A task that ends unbidden stops the daemon with
//! a failing exit code: half a daemon is worse than none, for nobody notices it. A hangup stops
//! nothing; what it means is decided by who listens to it.

use std::future::Future;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long the units of work under way may take after the first signal.
const DEADLINE: Duration = Duration::from_secs(20);

/// The tasks of a daemon and their stop tokens.
#[derive(Debug)]
pub struct Lifecycle {
    soft: CancellationToken,
    hard: CancellationToken,
    tracker: TaskTracker,
    ended: mpsc::Sender<Ended>,
    endings: mpsc::Receiver<Ended>,
}

/// A task that ended.
#[derive(Debug)]
struct Ended {
    task: &'static str,
    error: Option<anyhow::Error>,
}

/// There are a handful of tasks, and each says once that it ended.
const MAX_TASKS: usize = 16;

impl Default for Lifecycle {
    fn default() -> Self {
        let (ended, endings) = mpsc::channel(MAX_TASKS);
        Self {
            soft: CancellationToken::new(),
            hard: CancellationToken::new(),
            tracker: TaskTracker::new(),
            ended,
            endings,
        }
    }
}

impl Lifecycle {
    /// Returns the token that asks to end after the present unit of work.
    pub fn soft(&self) -> CancellationToken {
        self.soft.clone()
    }

    /// Runs a task until it ends or is dropped by the hard token.
    pub fn spawn(
        &self,
        task: &'static str,
        work: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        let (hard, ended) = (self.hard.clone(), self.ended.clone());
        self.tracker.spawn(async move {
            let error = match hard.run_until_cancelled(work).await {
                Some(Err(error)) => Some(error),
                Some(Ok(())) | None => None,
            };
            // Nobody listens any more once the daemon is stopping.
            let _ = ended.try_send(Ended { task, error });
        });
    }

    /// Waits for a signal or for a task that ends unbidden, then stops everything.
    ///
    /// # Errors
    ///
    /// When a task ended unbidden.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let ended = tokio::select! {
            () = signal() => None,
            ended = self.endings.recv() => ended,
        };
        self.soft.cancel();
        self.tracker.close();
        if ended.is_none() {
            tracing::info!("stopping; another signal stops at once");
        }
        tokio::select! {
            () = self.tracker.wait() => {}
            () = signal() => tracing::warn!("stopping at once"),
            () = tokio::time::sleep(DEADLINE) => {
                tracing::warn!("work under way did not end in {} s and is dropped", DEADLINE.as_secs());
            }
        }
        self.hard.cancel();
        self.tracker.wait().await;
        match ended {
            None => Ok(()),
            Some(Ended { task, error: Some(error) }) => {
                Err(error.context(format!("the task `{task}` failed")))
            }
            Some(Ended { task, error: None }) => {
                anyhow::bail!("the task `{task}` ended, which it never should")
            }
        }
    }
}

/// Hangups (`SIGHUP`): the sign to read again what may have changed on disk.
#[derive(Debug)]
pub struct Hangups {
    #[cfg(unix)]
    signals: Option<tokio::signal::unix::Signal>,
}

impl Hangups {
    /// Begins to listen. From then on a hangup does not end the process.
    pub fn listen() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let signals = signal(SignalKind::hangup());
            if let Err(error) = &signals {
                tracing::warn!("hangups cannot be heard: {error}");
            }
            Self { signals: signals.ok() }
        }
        #[cfg(not(unix))]
        Self {}
    }

    /// Waits for the next one. Several that come at once may count as one. Where there are none,
    /// this waits for ever.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signals) = &mut self.signals
            && signals.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}

/// Waits for an interrupt or a request to terminate.
pub async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => {}
                    _ = terminate.recv() => {}
                }
            }
            Err(error) => {
                tracing::warn!("requests to terminate cannot be heard: {error}");
                let _ = tokio::signal::ctrl_c().await;
            }
        }
    }
    #[cfg(not(unix))]
    {
        let _ = tokio::signal::ctrl_c().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_ends_unbidden_stops_the_daemon_with_an_error() {
        let lifecycle = Lifecycle::default();
        let soft = lifecycle.soft();
        lifecycle.spawn("waits", async move {
            soft.cancelled().await;
            Ok(())
        });
        lifecycle.spawn("ends", async { Ok(()) });
        let error = lifecycle.run().await.expect_err("a task ended");
        assert!(error.to_string().contains("`ends`"), "{error}");
    }

    #[tokio::test]
    async fn the_cause_of_a_failed_task_is_told() {
        let lifecycle = Lifecycle::default();
        lifecycle.spawn("fails", async { anyhow::bail!("the socket broke") });
        let error = lifecycle.run().await.expect_err("a task failed");
        assert!(format!("{error:#}").contains("the socket broke"), "{error:#}");
    }
}
