//! From the store into service: the first snapshot, and each that is published later.

use super::health::Health;
use super::serving::{Ages, Current, Serving};
use crate::snapshot::{self, LoadOptions, Store};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// After a snapshot was refused, it is tried again this often: what was wrong may have been the disk's
/// mood. A new publication is tried at once.
const RETRY: Duration = Duration::from_secs(30);
/// A suspect snapshot is verified again at most this often: verifying reads all of it.
const VERIFY_AGAIN: Duration = Duration::from_secs(60);

/// Why a snapshot could not be loaded.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    /// There is none, or it is damaged.
    #[error(transparent)]
    Store(#[from] snapshot::LoadError),
    /// Reading it panicked. It must not end the server, which has another one to serve.
    #[error("reading the snapshot ended in a panic")]
    Panicked,
}

/// Watches the store.
pub(super) struct Watcher {
    pub(super) store: PathBuf,
    pub(super) options: LoadOptions,
    pub(super) ages: Ages,
    pub(super) every: Duration,
    pub(super) serving: Arc<Serving>,
    pub(super) health: Health,
}

/// The content of the store's pointer. It is replaced as a whole with each publication, so that any
/// difference means a new one; what it says is the store's business.
type Pointer = Option<Vec<u8>>;

impl Watcher {
    /// Loads the current snapshot and puts it into service.
    pub(super) async fn begin(&self) -> Result<(Arc<Current>, Pointer), LoadError> {
        // Read before loading: a publication in between is then seen as new, at worst loaded twice.
        let pointer = self.pointer().await;
        let current = self.load().await?;
        self.serving.swap(Some(Arc::clone(&current)));
        self.health.set(true).await;
        Ok((current, pointer))
    }

    /// Takes over what is published, for ever.
    pub(super) async fn run(&self, mut seen: Pointer) {
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut refused: Option<Instant> = None;
        let mut verified: Option<Instant> = None;
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    let pointer = self.pointer().await;
                    let again = refused.is_some_and(|at| at.elapsed() >= RETRY);
                    // A pointer that can't be read just now is no publication.
                    if again || (pointer.is_some() && pointer != seen) {
                        seen = pointer;
                        refused = self.take_over().await.is_err().then(Instant::now);
                    }
                }
                () = self.serving.suspected() => {
                    if verified.is_none_or(|at| at.elapsed() >= VERIFY_AGAIN) {
                        self.verify_again().await;
                        verified = Some(Instant::now());
                    }
                }
            }
        }
    }

    async fn take_over(&self) -> Result<(), LoadError> {
        let current = self.load().await.inspect_err(|error| {
            tracing::error!(%error, "the published snapshot was refused; the one before stays in service");
        })?;
        tracing::info!(
            generation = current.snapshot().generation(),
            documents = current.snapshot().documents(),
            "serving a new snapshot"
        );
        self.replace(Some(current)).await;
        self.health.set(true).await;
        Ok(())
    }

    /// Opens the snapshot anew, which verifies every byte. Damaged, it is taken out of service: a
    /// wrong answer is worse than none, which sends the client to another server.
    async fn verify_again(&self) {
        match self.load().await {
            Ok(current) => {
                tracing::warn!(
                    "the suspect snapshot was verified and stays in service: the defect is in the program"
                );
                self.replace(Some(current)).await;
            }
            Err(error) => {
                tracing::error!(%error, "the suspect snapshot is damaged: no checks are answered until another is published");
                self.health.set(false).await;
                self.replace(None).await;
            }
        }
    }

    /// Swaps, and lets go of the old snapshot where unmapping it holds up nobody's call.
    async fn replace(&self, next: Option<Arc<Current>>) {
        let Some(old) = self.serving.swap(next) else {
            return;
        };
        tokio::spawn(async move {
            while Arc::strong_count(&old) > 1 {
                sleep(Duration::from_millis(50)).await;
            }
            let _ = spawn_blocking(move || drop(old)).await;
        });
    }

    async fn load(&self) -> Result<Arc<Current>, LoadError> {
        let (store, options, ages) = (self.store.clone(), self.options, self.ages);
        let loaded = spawn_blocking(move || {
            let snapshot = Store::open(store)?.load_current(&options)?;
            Ok(Arc::new(Current::new(snapshot, ages)))
        });
        loaded.await.unwrap_or(Err(LoadError::Panicked))
    }

    async fn pointer(&self) -> Pointer {
        let path = self.store.join("CURRENT");
        spawn_blocking(move || std::fs::read(path).ok())
            .await
            .ok()
            .flatten()
    }
}
