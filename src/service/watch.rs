//! From the store into service: the first snapshot, and each that is published later.

use super::health::Health;
use super::serving::{Ages, Current, Serving};
use crate::snapshot::{self, LoadOptions, Pointer, Store};
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

/// What the watcher knows of the store.
pub(super) struct Seen {
    store: Store,
    /// The publication looked at last; `None` while the pointer cannot be read.
    pointer: Option<Pointer>,
    /// When a publication was refused last, if the one looked at last was.
    refused: Option<Instant>,
}

impl Watcher {
    /// Loads the current snapshot and puts it into service.
    pub(super) async fn begin(&self) -> Result<(Arc<Current>, Seen), LoadError> {
        let path = self.store.clone();
        let (store, pointer) = blocking(move || {
            let store = Store::open(path)?;
            let pointer = store.pointer()?;
            Ok((store, pointer))
        })
        .await?;
        let current = self.load(&store, &pointer, None).await?;
        self.serving.swap(Some(Arc::clone(&current)));
        self.health.set(true).await;
        Ok((
            current,
            Seen {
                store,
                pointer: Some(pointer),
                refused: None,
            },
        ))
    }

    /// Takes over what is published, for ever.
    pub(super) async fn run(&self, mut seen: Seen) {
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut verified: Option<Instant> = None;
        loop {
            tokio::select! {
                _ = ticks.tick() => self.look(&mut seen).await,
                () = self.serving.suspected() => {
                    if verified.is_none_or(|at| at.elapsed() >= VERIFY_AGAIN) {
                        self.verify_again(&mut seen).await;
                        verified = Some(Instant::now());
                    }
                }
            }
        }
    }

    /// Takes over a publication that has not been looked at, or was refused some time ago.
    async fn look(&self, seen: &mut Seen) {
        let store = seen.store.clone();
        let pointer = match blocking(move || store.pointer()).await {
            Ok(pointer) => pointer,
            Err(error) => {
                // Said once, not at every look.
                if seen.pointer.take().is_some() {
                    tracing::error!(%error, "what is published cannot be read; the snapshot served stays in service");
                }
                return;
            }
        };
        let try_again = seen.refused.is_some_and(|at| at.elapsed() >= RETRY);
        if seen.pointer.as_ref() == Some(&pointer) && !try_again {
            return;
        }
        seen.refused = self
            .take_over(&seen.store, &pointer)
            .await
            .is_err()
            .then(Instant::now);
        seen.pointer = Some(pointer);
    }

    async fn take_over(&self, store: &Store, pointer: &Pointer) -> Result<(), LoadError> {
        let served = self.serving.hold().ok();
        let current = self.load(store, pointer, served).await.inspect_err(|error| {
            tracing::error!(%error, "the published snapshot was refused; the one before stays in service");
        })?;
        tracing::info!(
            generation = current.snapshot().generation(),
            documents = current.snapshot().documents(),
            "serving a new snapshot"
        );
        self.replace(Some(current));
        self.health.set(true).await;
        Ok(())
    }

    /// Opens what is published anew, which verifies every byte. Damaged, it is taken out of service: a
    /// wrong answer is worse than none, which sends the client to another server.
    async fn verify_again(&self, seen: &mut Seen) {
        let store = seen.store.clone();
        let verified = match blocking(move || store.pointer()).await {
            Ok(pointer) => self.load(&seen.store, &pointer, None).await,
            Err(error) => Err(error),
        };
        match verified {
            Ok(current) => {
                tracing::warn!(
                    "the suspect snapshot was verified and stays in service: the defect is in the program"
                );
                self.replace(Some(current));
            }
            Err(error) => {
                tracing::error!(%error, "the suspect snapshot is damaged: no checks are answered until a sound one is found");
                self.health.set(false).await;
                self.replace(None);
                seen.refused = Some(Instant::now());
            }
        }
    }

    /// Swaps, and lets go of the old snapshot where unmapping it holds up nobody's call.
    fn replace(&self, next: Option<Arc<Current>>) {
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

    /// Loads a publication; what it has in common with the snapshot `served` is not opened again.
    async fn load(
        &self,
        store: &Store,
        pointer: &Pointer,
        served: Option<Arc<Current>>,
    ) -> Result<Arc<Current>, LoadError> {
        let (store, pointer) = (store.clone(), pointer.clone());
        let (options, ages) = (self.options, self.ages);
        blocking(move || {
            let snapshot = match served {
                Some(served) => store.load_beside(&pointer, &options, served.snapshot())?,
                None => store.load(&pointer, &options)?,
            };
            Ok(Arc::new(Current::new(snapshot, ages)))
        })
        .await
    }
}

/// Does what reads the disk where it holds up no other task.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, snapshot::LoadError> + Send + 'static,
) -> Result<T, LoadError> {
    match spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(LoadError::Panicked),
    }
}
