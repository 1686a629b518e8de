//! The hooks of a running simulator, as tests and the control API handle them.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{GitLab, STOP_PATIENCE, Shared};
use crate::hooks::{Delivery, Hook, HookId, HookOptions, HookState, Refusal, Registry, deliver};

/// The task that delivers. It ends when dropped.
pub(super) struct HookTask {
    stop: DropGuard,
    task: JoinHandle<()>,
}

impl HookTask {
    #[expect(clippy::disallowed_methods, reason = "GitLab::stop() waits for this task")]
    pub(super) fn start(registry: Arc<Registry>) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(deliver(registry, stop.clone()));
        Self { stop: stop.drop_guard(), task }
    }

    pub(super) async fn stop(self) {
        let Self { stop, mut task } = self;
        drop(stop);
        if tokio::time::timeout(STOP_PATIENCE, &mut task).await.is_err() {
            task.abort();
        }
    }
}

impl Shared {
    /// Waits until no delivery is outstanding, or the instance is to stop.
    pub(crate) async fn hooks_settled(&self) {
        self.stopping.run_until_cancelled(self.site.hooks.settled()).await;
    }
}

impl GitLab {
    /// Registers a webhook or system hook. It hears of what happens from now on.
    ///
    /// # Errors
    ///
    /// When there is no such project or group, when it has as many hooks as it may have, or when
    /// address or headers cannot be used.
    pub fn add_hook(&self, hook: Hook) -> Result<HookId, Refusal> {
        let mut world = self.world();
        let id = self.shared.site.hooks.add(&world, hook)?;
        world.listen(true);
        Ok(id)
    }

    /// Removes a hook. What waits for it is forgotten. Returns false when there is none.
    pub fn remove_hook(&self, id: HookId) -> bool {
        self.shared.site.hooks.remove(id)
    }

    /// Lists the hooks by id, with the state they are in.
    pub fn hooks(&self) -> Vec<HookState> {
        self.shared.site.hooks.states()
    }

    /// Finds a hook.
    pub fn find_hook(&self, id: HookId) -> Option<HookState> {
        self.hooks().into_iter().find(|state| state.id == id)
    }

    /// Enables a hook that failures have disabled. Returns false when there is none.
    pub fn enable_hook(&self, id: HookId) -> bool {
        self.shared.site.hooks.enable(id)
    }

    /// Returns how hooks are delivered.
    pub fn hook_options(&self) -> HookOptions {
        self.shared.site.hooks.options()
    }

    /// Changes how hooks are delivered from now on.
    pub fn set_hook_options(&self, options: HookOptions) {
        self.shared.site.hooks.set_options(options);
    }

    /// Returns the log of deliveries, oldest first: the last 10,000 attempts, and what was lost.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.site.hooks.log()
    }

    /// Empties the log of deliveries.
    pub fn forget_deliveries(&self) {
        self.shared.site.hooks.forget_log();
    }

    /// Sends a delivery of the log again, with the same body and `Idempotency-Key`.
    ///
    /// # Errors
    ///
    /// When there is no such delivery, when its hook is gone, or when five of the hook were sent
    /// again within this minute.
    pub fn resend(&self, delivery: u64) -> Result<(), Refusal> {
        self.shared.site.hooks.resend(delivery)
    }

    /// Waits until nothing waits to be delivered and nothing is under way.
    pub async fn hooks_settled(&self) {
        self.shared.site.hooks.settled().await;
    }
}
