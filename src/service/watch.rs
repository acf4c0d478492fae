//! From the store into service: the first snapshot, and each that is published later.

use super::condition::Condition;
use super::generations::Generations;
use super::health::Health;
use super::notices::Notices;
use super::refusal::{Fault, Refusal};
use super::serving::Current;
use crate::snapshot::{self, LoadOptions, Manifest, Pointer, Store, Terms};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// After a snapshot was refused, it is tried again this often: what was wrong may have been the disk's
/// mood. A new publication is tried at once.
const RETRY: Duration = Duration::from_secs(30);
/// A suspect snapshot is verified again at most this often: verifying reads all of it.
const VERIFY_AGAIN: Duration = Duration::from_secs(60);
/// How often health is held against the snapshot's age, which changes without anything happening.
const LOOK_AT_AGE: Duration = Duration::from_secs(1);

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
    pub(super) terms: Terms,
    pub(super) options: LoadOptions,
    pub(super) every: Duration,
    pub(super) condition: Arc<Condition>,
    pub(super) health: Health,
}

/// What the watcher knows of the store.
pub(super) struct Seen {
    store: Store,
    notices: Notices,
    /// The publication that is served, or was until it was found damaged.
    served: Pointer,
    generations: Generations,
    /// The publication looked at last; `None` while the pointer cannot be read.
    pointer: Option<Pointer>,
    /// When a publication was refused last, if the one looked at last was.
    refused: Option<Instant>,
}

impl Watcher {
    /// Loads the current snapshot and puts it into service.
    pub(super) async fn begin(&self) -> Result<(Arc<Current>, Seen), LoadError> {
        let (path, terms) = (self.condition.store.clone(), self.terms.clone());
        let (options, condition) = (self.options, Arc::clone(&self.condition));
        let (store, pointer, current) = blocking(move || {
            let store = Store::open(path)?.with_terms(terms);
            let (pointer, snapshot) = store.load_what_is_current(&options)?;
            let current = Arc::new(Current::new(snapshot, condition.ages));
            Ok((store, pointer, current))
        })
        .await?;
        let mut generations = Generations::default();
        generations.served(current.snapshot().manifest());
        self.condition.swap(Some(Arc::clone(&current)));
        self.announce().await;
        Ok((
            current,
            Seen {
                // Before the first look of `run`: what is published in between is found by that.
                notices: Notices::of(store.path()).await,
                store,
                served: pointer.clone(),
                generations,
                pointer: Some(pointer),
                refused: None,
            },
        ))
    }

    /// Takes over what is published, for ever.
    pub(super) async fn run(&self, mut seen: Seen) {
        let tick = |every| {
            let mut ticks = interval(every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        };
        let (mut looks, mut ages) = (tick(self.every), tick(LOOK_AT_AGE));
        let mut verified: Option<Instant> = None;
        loop {
            self.condition.set_notified(seen.notices.come());
            tokio::select! {
                _ = looks.tick() => {
                    seen.notices.renew().await;
                    self.look(&mut seen).await;
                }
                () = seen.notices.published() => self.look(&mut seen).await,
                () = self.condition.serving.suspected() => {
                    if verified.is_none_or(|at| at.elapsed() >= VERIFY_AGAIN) {
                        self.verify_again(&mut seen).await;
                        verified = Some(Instant::now());
                    }
                }
                _ = ages.tick() => {}
            }
            self.announce().await;
        }
    }

    /// Says whether checks are to be sent here, if that has changed.
    async fn announce(&self) {
        let readiness = self.condition.readiness(self.condition.now());
        if self.health.set(readiness.is_ok()) {
            match readiness {
                Ok(()) => tracing::info!("ready: checks are to be sent here"),
                Err(why) => {
                    tracing::error!(
                        why = why.words(),
                        "not ready: no checks are to be sent here"
                    );
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
                    let meanwhile = self.meanwhile();
                    tracing::error!(%error, "what is published cannot be read; {meanwhile}");
                    self.refuse(None, None, &error.into());
                }
                return;
            }
        };
        let try_again = seen.refused.is_some_and(|at| at.elapsed() >= RETRY);
        if seen.pointer.as_ref() == Some(&pointer) && !try_again {
            return;
        }
        seen.refused = match self.take_over(seen, &pointer).await {
            Ok(()) => {
                self.condition.accept();
                None
            }
            Err(()) => Some(Instant::now()),
        };
        seen.pointer = Some(pointer);
    }

    /// Puts a publication into service, or says why not.
    async fn take_over(&self, seen: &mut Seen, pointer: &Pointer) -> Result<(), ()> {
        let served = self.condition.serving.hold().ok();
        if served.is_some() && *pointer == seen.served {
            tracing::info!("what is published is what is served");
            return Ok(());
        }
        let refused = |generation, fault: Fault| {
            tracing::error!(
                error = %fault,
                manifest = pointer.manifest(),
                generation,
                "the published snapshot was refused; {}",
                self.meanwhile()
            );
            self.refuse(Some(pointer), generation, &fault);
        };
        let manifest = self
            .manifest(&seen.store, pointer)
            .await
            .map_err(|error| refused(None, error.into()))?;
        let generation = Some(manifest.generation);
        // What was taken out of service may come back as it was.
        if *pointer != seen.served {
            let admitted = seen.generations.admit(&manifest);
            admitted.map_err(|error| refused(generation, error.into()))?;
        }
        let current = self
            .load(&seen.store, pointer, served.clone())
            .await
            .map_err(|error| refused(generation, error.into()))?;
        if served.is_some_and(|served| served.snapshot().manifest().store != manifest.store) {
            tracing::warn!(
                store = manifest.store,
                "another store has taken the place of the one served: its generations count anew"
            );
        }
        tracing::info!(
            generation = current.snapshot().generation(),
            documents = current.snapshot().documents(),
            "serving a new snapshot"
        );
        self.serve(seen, pointer, current);
        Ok(())
    }

    /// Opens what is served anew, which verifies every byte. Damaged, it is taken out of service: a
    /// wrong answer is worse than none, which sends the client to another server.
    async fn verify_again(&self, seen: &mut Seen) {
        // What it was loaded from may have been removed by a publish since: then what is published now
        // is the better one to have.
        self.look(seen).await;
        let served = seen.served.clone();
        match self.load(&seen.store, &served, None).await {
            Ok(current) => {
                tracing::warn!(
                    "the suspect snapshot was verified and stays in service: what is answered from is whole"
                );
                self.condition.verified(true);
                self.serve(seen, &served, current);
            }
            Err(error) => {
                tracing::error!(%error, "the suspect snapshot is damaged: no checks are answered until a sound one is found");
                self.condition.verified(false);
                let served_now = self.condition.serving.hold().ok();
                let generation = served_now.map(|served| served.snapshot().generation());
                self.refuse(Some(&served), generation, &error.into());
                self.replace(None);
                seen.refused = Some(Instant::now());
            }
        }
    }

    /// Puts a loaded publication into service.
    fn serve(&self, seen: &mut Seen, pointer: &Pointer, current: Arc<Current>) {
        seen.generations.served(current.snapshot().manifest());
        seen.served = pointer.clone();
        self.replace(Some(current));
    }

    /// What a refusal means for those who ask.
    fn meanwhile(&self) -> &'static str {
        if self.condition.serving.guard().is_some() {
            "the one before stays in service"
        } else {
            "no checks are answered"
        }
    }

    /// Remembers a refusal, for those who ask.
    fn refuse(&self, pointer: Option<&Pointer>, generation: Option<u64>, fault: &Fault) {
        self.condition.refuse(Refusal {
            pointer: pointer.cloned(),
            generation,
            reason: fault.into(),
            detail: fault.to_string(),
            since: self.condition.now(),
        });
    }

    /// Swaps, and lets go of the old snapshot where unmapping it holds up nobody's call.
    fn replace(&self, next: Option<Arc<Current>>) {
        let Some(old) = self.condition.swap(next) else {
            return;
        };
        tokio::spawn(async move {
            while Arc::strong_count(&old) > 1 {
                sleep(Duration::from_millis(50)).await;
            }
            let _ = spawn_blocking(move || drop(old)).await;
        });
    }

    /// Reads the manifest of a publication.
    async fn manifest(&self, store: &Store, pointer: &Pointer) -> Result<Manifest, LoadError> {
        let (store, pointer) = (store.clone(), pointer.clone());
        blocking(move || store.manifest(&pointer)).await
    }

    /// Loads a publication; what it has in common with the snapshot `served` is not opened again.
    async fn load(
        &self,
        store: &Store,
        pointer: &Pointer,
        served: Option<Arc<Current>>,
    ) -> Result<Arc<Current>, LoadError> {
        let (store, pointer) = (store.clone(), pointer.clone());
        let (options, ages) = (self.options, self.condition.ages);
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
