//! The hooks of the instance, what waits for them, and the log of what became of it.
//!
//! One lock guards it all, and no await happens under it. It may be taken while the world is
//! locked, never the other way round.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use super::HookOptions;
use super::health::{Alert, Health};
use super::hook::{Hook, HookId, HookState, Refusal, Scope};
use super::log::{Delivery, Loss, Outcome};
use super::outline::outlines;
use super::payload::{Scene, render};
use super::sender::{Job, Sender};
use super::window::Window;
use crate::clock::Clock;
use crate::world::{Event, GroupId, World};

/// How many hooks a project may have.
const MAX_PER_PROJECT: usize = 100;
/// How many hooks a group may have.
const MAX_PER_GROUP: usize = 50;
/// The largest body, in bytes: GitLab does not send more than 25 MB.
const MAX_BODY: usize = 25 * 1024 * 1024;
/// How many deliveries wait at most. When the queue is full, new ones are lost, and the log says so.
const MAX_WAITING: usize = 10_000;
/// How many log entries are kept; the oldest are forgotten.
const MAX_LOG: usize = 10_000;
/// How many hooks are delivered to at once.
const MAX_UNDER_WAY: usize = 64;
/// How often deliveries of one hook may be sent again by hand within a minute.
const MAX_RESENDS: u32 = 5;

/// An attempt that may be made now.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) timeout: Duration,
    at: Timestamp,
}

#[derive(Debug)]
struct Row {
    hook: Hook,
    health: Health,
    created_at: Timestamp,
    pending: VecDeque<Job>,
    busy: bool,
    resent: Window,
}

#[derive(Debug)]
struct Inner {
    clock: Clock,
    options: HookOptions,
    hooks: BTreeMap<HookId, Row>,
    log: VecDeque<Delivery>,
    windows: HashMap<GroupId, Window>,
    last_hook: u64,
    last_entry: u64,
    last_uuid: u64,
    waiting: usize,
}

/// The hooks of an instance.
#[derive(Debug)]
pub(crate) struct Registry {
    inner: Mutex<Inner>,
    sender: Sender,
    /// Says that there may be something to deliver.
    pub(super) wake: Notify,
    waiting: watch::Sender<usize>,
}

impl Registry {
    /// Makes an empty registry for the instance at an address.
    pub(crate) fn new(options: HookOptions, clock: Clock, url: &str, version: &str) -> Self {
        Self {
            sender: Sender::new(url, version, clock.now()),
            inner: Mutex::new(Inner {
                clock,
                options,
                hooks: BTreeMap::new(),
                log: VecDeque::new(),
                windows: HashMap::new(),
                last_hook: 0,
                last_entry: 0,
                last_uuid: 0,
                waiting: 0,
            }),
            wake: Notify::new(),
            waiting: watch::Sender::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change of the registry is complete before anything in it can panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells those who wait how much is left to deliver. It happens under the lock: told later, an
    /// old number could come after a newer one, and whoever waits for none would wait for ever.
    fn tell(&self, inner: &Inner) {
        self.waiting.send_replace(inner.waiting);
    }

    /// Registers a hook.
    pub(crate) fn add(&self, world: &World, hook: Hook) -> Result<HookId, Refusal> {
        hook.check(world)?;
        let mut inner = self.lock();
        let limit = match hook.scope {
            Scope::Project(_) => MAX_PER_PROJECT,
            Scope::Group(_) => MAX_PER_GROUP,
            Scope::System => usize::MAX,
        };
        if inner.hooks.values().filter(|row| row.hook.scope == hook.scope).count() >= limit {
            return Err(Refusal::TooMany);
        }
        inner.last_hook += 1;
        let id = HookId::new(inner.last_hook);
        let row = Row {
            hook,
            health: Health::default(),
            created_at: world.clock().now(),
            pending: VecDeque::new(),
            busy: false,
            resent: Window::default(),
        };
        inner.hooks.insert(id, row);
        Ok(id)
    }

    /// Removes a hook and what waits for it.
    pub(crate) fn remove(&self, id: HookId) -> bool {
        let mut inner = self.lock();
        let Some(row) = inner.hooks.remove(&id) else {
            return false;
        };
        inner.waiting -= row.pending.len();
        self.tell(&inner);
        true
    }

    /// Makes a disabled hook whole.
    pub(crate) fn enable(&self, id: HookId) -> bool {
        self.lock().hooks.get_mut(&id).map(|row| row.health.heal()).is_some()
    }

    /// Lists the hooks by id.
    pub(crate) fn states(&self) -> Vec<HookState> {
        let inner = self.lock();
        let now = inner.clock.now();
        let state = |(id, row): (&HookId, &Row)| HookState {
            id: *id,
            hook: row.hook.clone(),
            alert: row.health.alert(now),
            disabled_until: row.health.disabled_until(),
            failures: row.health.failures(),
            created_at: row.created_at,
        };
        inner.hooks.iter().map(state).collect()
    }

    /// Returns how hooks are delivered.
    pub(crate) fn options(&self) -> HookOptions {
        self.lock().options.clone()
    }

    /// Changes how hooks are delivered from now on.
    pub(crate) fn set_options(&self, options: HookOptions) {
        self.lock().options = options;
    }

    /// Returns the log, oldest entry first.
    pub(crate) fn log(&self) -> Vec<Delivery> {
        self.lock().log.iter().cloned().collect()
    }

    /// Empties the log.
    pub(crate) fn forget_log(&self) {
        self.lock().log.clear();
    }

    /// Queues what happened for whom it concerns.
    pub(crate) fn publish(&self, world: &World, events: &[Event]) {
        let mut inner = self.lock();
        inner.clock = world.clock().clone();
        if inner.hooks.is_empty() {
            return;
        }
        for event in events {
            let event_uuid = inner.uuid(&self.sender);
            for outline in outlines(world, event) {
                let reached: Vec<HookId> = inner
                    .hooks
                    .iter()
                    .filter(|(_, row)| outline.reaches(world, &row.hook))
                    .map(|(id, _)| *id)
                    .collect();
                if reached.is_empty() {
                    continue;
                }
                let scene = Scene { world, url: self.sender.url(), event };
                let Some(body) = render(scene, outline.form) else {
                    continue;
                };
                let body: Arc<str> = body.into();
                let top = outline.audience.top_level(world);
                for hook in reached {
                    let system = inner.hooks[&hook].hook.scope == Scope::System;
                    let job = Job {
                        hook,
                        event: if system { "System Hook" } else { outline.name },
                        event_uuid: event_uuid.clone(),
                        key: inner.uuid(&self.sender),
                        body: Arc::clone(&body),
                    };
                    inner.enqueue(job, top.filter(|_| !system));
                }
            }
        }
        self.tell(&inner);
        drop(inner);
        self.wake.notify_one();
    }

    /// Queues a delivery of the log again, under its old `Idempotency-Key`.
    pub(crate) fn resend(&self, number: u64) -> Result<(), Refusal> {
        let mut inner = self.lock();
        let now = inner.clock.now();
        let entry = inner.log.iter().find(|entry| entry.number == number);
        let job = entry.map(|entry| Job {
            hook: entry.hook,
            event: entry.event,
            event_uuid: entry.header("X-Gitlab-Event-UUID").unwrap_or_default().to_owned(),
            key: entry.idempotency_key.clone(),
            body: Arc::clone(&entry.body),
        });
        let job = job.ok_or(Refusal::NoDelivery)?;
        let row = inner.hooks.get_mut(&job.hook).ok_or(Refusal::NoDelivery)?;
        if !row.resent.take(now, MAX_RESENDS) {
            return Err(Refusal::TooOften);
        }
        inner.enqueue(job, None);
        self.tell(&inner);
        drop(inner);
        self.wake.notify_one();
        Ok(())
    }

    /// Counts the deliveries that wait or are under way.
    pub(crate) fn outstanding(&self) -> usize {
        *self.waiting.borrow()
    }

    /// Waits until nothing waits and nothing is under way.
    pub(crate) async fn settled(&self) {
        // An error would mean that the sender is gone, which is a field of this very value.
        let _ = self.waiting.subscribe().wait_for(|waiting| *waiting == 0).await;
    }

    /// Takes the next job of every hook to which nothing is under way.
    pub(super) fn take(&self, under_way: usize) -> Vec<Job> {
        let mut inner = self.lock();
        let free = MAX_UNDER_WAY.saturating_sub(under_way);
        let take = |row: &mut Row| {
            let job = row.pending.pop_front()?;
            row.busy = true;
            Some(job)
        };
        inner.hooks.values_mut().filter(|row| !row.busy).filter_map(take).take(free).collect()
    }

    /// Prepares an attempt, or notes that nothing is to be sent.
    pub(super) fn prepare(&self, job: &Job, attempt: u32) -> Option<Attempt> {
        let mut inner = self.lock();
        let now = inner.clock.now();
        let uuid = inner.uuid(&self.sender);
        if let Some(loss) = inner.loss(job.hook, now) {
            if attempt == 1 {
                inner.lose(job, loss);
            }
            return None;
        }
        let row = &inner.hooks[&job.hook];
        Some(Attempt {
            url: row.hook.url.clone(),
            headers: self.sender.headers(&row.hook, job, &uuid, now),
            timeout: inner.options.timeout,
            at: now,
        })
    }

    /// Writes an attempt into the log. Returns true when another one is to be made.
    pub(super) fn record(
        &self,
        job: &Job,
        number: u32,
        attempt: Attempt,
        outcome: Outcome,
    ) -> bool {
        let mut inner = self.lock();
        let again = !outcome.succeeded() && number <= inner.options.retries;
        let Attempt { url, mut headers, at, .. } = attempt;
        for (_, value) in headers.iter_mut().filter(|(name, _)| name == "X-Gitlab-Token") {
            "[REDACTED]".clone_into(value);
        }
        let entry = Delivery { at, url, headers, ..blank(job, number, outcome) };
        inner.write(entry);
        again
    }

    /// Ends a job: by an answer, good or bad, or by a loss.
    pub(super) fn finish(&self, job: &Job, succeeded: Option<bool>) {
        let mut inner = self.lock();
        let (now, auto_disable) = (inner.clock.now(), inner.options.auto_disable);
        if let Some(row) = inner.hooks.get_mut(&job.hook) {
            row.busy = false;
            match succeeded {
                Some(true) => row.health.heal(),
                Some(false) if auto_disable && row.hook.scope != Scope::System => {
                    row.health.failed(now);
                }
                Some(false) | None => {}
            }
        }
        inner.waiting -= 1;
        self.tell(&inner);
    }
}

impl Inner {
    fn uuid(&mut self, sender: &Sender) -> String {
        self.last_uuid += 1;
        sender.uuid(self.last_uuid)
    }

    /// Queues a job, unless it is lost right away.
    fn enqueue(&mut self, job: Job, top: Option<GroupId>) {
        let now = self.clock.now();
        let limit = self.options.per_minute;
        let too_large = (job.body.len() > MAX_BODY).then_some(Loss::TooLarge);
        let full = (self.waiting >= MAX_WAITING).then_some(Loss::QueueFull);
        let loss = self.loss(job.hook, now).or(too_large).or(full).or_else(|| {
            let window = self.windows.entry(top?).or_default();
            (!window.take(now, limit?)).then_some(Loss::RateLimited)
        });
        if let Some(loss) = loss {
            return self.lose(&job, loss);
        }
        if let Some(row) = self.hooks.get_mut(&job.hook) {
            row.pending.push_back(job);
            self.waiting += 1;
        }
    }

    /// Tells why nothing can be sent to a hook now, if so.
    fn loss(&self, hook: HookId, now: Timestamp) -> Option<Loss> {
        let Some(row) = self.hooks.get(&hook) else {
            return Some(Loss::Removed);
        };
        let disabled = self.options.auto_disable && row.health.alert(now) != Alert::Executable;
        match (self.options.silent, disabled) {
            (true, _) => Some(Loss::Silent),
            (false, true) => Some(Loss::Disabled),
            (false, false) => None,
        }
    }

    fn lose(&mut self, job: &Job, loss: Loss) {
        let url = self.hooks.get(&job.hook).map(|row| row.hook.url.clone()).unwrap_or_default();
        let at = self.clock.now();
        let headers = vec![("X-Gitlab-Event-UUID".to_owned(), job.event_uuid.clone())];
        self.write(Delivery { at, url, headers, ..blank(job, 0, Outcome::Lost(loss)) });
    }

    fn write(&mut self, mut entry: Delivery) {
        self.last_entry += 1;
        entry.number = self.last_entry;
        if self.log.len() >= MAX_LOG {
            self.log.pop_front();
        }
        self.log.push_back(entry);
    }
}

/// Returns an entry of the log that still needs its number, time, address and headers.
fn blank(job: &Job, attempt: u32, outcome: Outcome) -> Delivery {
    Delivery {
        number: 0,
        hook: job.hook,
        event: job.event,
        idempotency_key: job.key.clone(),
        attempt,
        at: Timestamp::UNIX_EPOCH,
        url: String::new(),
        headers: Vec::new(),
        body: Arc::clone(&job.body),
        outcome,
    }
}
