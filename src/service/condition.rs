//! What a server knows of itself: told by those who change it, asked by health, the administrators'
//! service and the monitor.

use super::budget::Budget;
use super::clock::Clock;
use super::config::Config;
use super::descriptors;
use super::monitor::Counters;
use super::readiness::{Facts, NotReady, readiness};
use super::refusal::{Refusal, RefusalReason};
use super::scrub::Scrubbed;
use super::serving::{Ages, Current, Serving};
use super::worker::Connections;
use crate::index::{LoadMode, Segment};
use crate::snapshot::signature::TrustedKeyInfo;
use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The condition of a server.
#[derive(Debug)]
pub(super) struct Condition {
    /// The snapshot being served.
    pub(super) serving: Arc<Serving>,
    /// What each thread that serves calls has counted.
    pub(super) counters: Vec<Arc<Counters>>,
    /// The memory that requests and answers may take.
    pub(super) budget: Arc<Budget>,
    /// The connections of clients.
    pub(super) connections: Arc<Connections>,
    /// How many of these may be open at a time.
    pub(super) connections_max: usize,
    /// Folder of the store.
    pub(super) store: PathBuf,
    /// Ages past which the answers change.
    pub(super) ages: Ages,
    /// How segments are held.
    pub(super) load: LoadMode,
    /// The keys one of which must have signed what is served.
    pub(super) trusted: ArcSwap<Vec<TrustedKeyInfo>>,
    /// What reading the segments again from the disk has found.
    pub(super) scrubbed: Scrubbed,
    /// When the server began.
    pub(super) started_at: Timestamp,
    fail_when_too_old: bool,
    draining: AtomicBool,
    served_before: AtomicBool,
    notified: AtomicBool,
    refused: ArcSwapOption<Refusal>,
    refusals: [AtomicU64; RefusalReason::ALL.len()],
    swaps: AtomicU64,
    verified: [AtomicU64; 2],
    /// Segments that were loaded, as long as anybody holds them.
    segments: Mutex<Vec<Weak<Segment>>>,
}

impl Condition {
    /// Of a server that begins now.
    pub(super) fn new(
        store: PathBuf,
        config: &Config,
        trusted: Vec<TrustedKeyInfo>,
        clock: Clock,
    ) -> Self {
        Self {
            started_at: clock.now(),
            serving: Arc::new(Serving::new(clock)),
            budget: Arc::new(Budget::new(
                config.memory_bytes(),
                config.stalled_after,
                config.threads,
            )),
            counters: (0..config.threads.get()).map(|_| Arc::default()).collect(),
            connections: Arc::new(Connections::of(config.threads)),
            connections_max: descriptors::connections_max(config),
            store,
            ages: Ages {
                soft: config.soft_age,
                hard: config.hard_age,
            },
            load: config.load,
            trusted: ArcSwap::from_pointee(trusted),
            scrubbed: Scrubbed::default(),
            fail_when_too_old: config.fail_when_too_old,
            draining: AtomicBool::new(false),
            served_before: AtomicBool::new(false),
            notified: AtomicBool::new(false),
            refused: ArcSwapOption::empty(),
            refusals: Default::default(),
            swaps: AtomicU64::new(0),
            verified: Default::default(),
            segments: Mutex::default(),
        }
    }

    /// What time it is.
    pub(super) fn now(&self) -> Timestamp {
        self.serving.now()
    }

    /// Whether checks are to be sent here at the instant `now`, and why not.
    pub(super) fn readiness(&self, now: Timestamp) -> Result<(), NotReady> {
        let current = self.serving.guard();
        readiness(Facts {
            too_old: current.as_ref().map(|current| current.is_too_old(now)),
            served_before: self.served_before.load(Ordering::Relaxed),
            fail_when_too_old: self.fail_when_too_old,
            draining: self.draining.load(Ordering::Relaxed),
        })
    }

    /// The server is ending.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Puts another snapshot into service, or none, and returns the one before.
    pub(super) fn swap(&self, next: Option<Arc<Current>>) -> Option<Arc<Current>> {
        if let Some(next) = &next {
            self.served_before.store(true, Ordering::Relaxed);
            self.hold(next.snapshot().segments());
        }
        let name = |current: &Option<Arc<Current>>| {
            let manifest = current.as_ref()?.snapshot().manifest();
            Some((manifest.store.clone(), manifest.generation))
        };
        let next_name = name(&next);
        let before = self.serving.swap(next);
        // Verified anew and loaded anew, it is the same one still.
        if next_name.is_some() && before.is_some() && next_name != name(&before) {
            self.swaps.fetch_add(1, Ordering::Relaxed);
        }
        before
    }

    /// Times that one snapshot took the place of another.
    pub(super) fn swaps(&self) -> u64 {
        self.swaps.load(Ordering::Relaxed)
    }

    fn hold(&self, loaded: &[Arc<Segment>]) {
        // Whoever panicked with the lock held has left a list that is still one.
        let mut held = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|segment| segment.strong_count() > 0);
        for segment in loaded {
            let segment = Arc::downgrade(segment);
            if !held.iter().any(|other| other.ptr_eq(&segment)) {
                held.push(segment);
            }
        }
    }

    /// Bytes of all segments that are held: of the snapshot served, and of those before it that calls
    /// under way still read.
    pub(super) fn segment_bytes(&self) -> u64 {
        let held = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        let held = held.iter().filter_map(Weak::upgrade);
        held.map(|segment| segment.file_len()).sum()
    }

    /// A publication is refused; tried again, it keeps the instant when it was refused first.
    pub(super) fn refuse(&self, mut refusal: Refusal) {
        match &*self.refused.load() {
            Some(before) if before.pointer == refusal.pointer => refusal.since = before.since,
            _ => {
                if let Some(count) = self.refusals.get(refusal.reason as usize) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        self.refused.store(Some(Arc::new(refusal)));
    }

    /// What is published now is served: no refusal stands any more.
    pub(super) fn accept(&self) {
        self.refused.store(None);
    }

    /// The publication that stands refused.
    pub(super) fn refused(&self) -> Option<Arc<Refusal>> {
        self.refused.load_full()
    }

    /// Publications refused, by the kind of fault.
    pub(super) fn refusals(&self) -> impl Iterator<Item = (RefusalReason, u64)> {
        let counts = self.refusals.iter().map(|n| n.load(Ordering::Relaxed));
        RefusalReason::ALL.into_iter().zip(counts)
    }

    /// A suspect snapshot was verified anew.
    pub(super) fn verified(&self, sound: bool) {
        let [damaged, found_sound] = &self.verified;
        let count = if sound { found_sound } else { damaged };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Suspect snapshots verified anew: those found damaged, and those found sound.
    pub(super) fn verifications(&self) -> [u64; 2] {
        self.verified
            .each_ref()
            .map(|count| count.load(Ordering::Relaxed))
    }

    /// Whether the system tells of publications at once.
    pub(super) fn set_notified(&self, notified: bool) {
        self.notified.store(notified, Ordering::Relaxed);
    }

    /// Whether the system tells of publications at once.
    pub(super) fn is_notified(&self) -> bool {
        self.notified.load(Ordering::Relaxed)
    }
}
