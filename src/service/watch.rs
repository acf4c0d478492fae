//! From the store into service: the first snapshot, and each that is published later.
//!
//! Three loops, none of which waits for another: one looks at the store and takes over what is published, one verifies
//! a suspect snapshot again, one holds health against the snapshot's age. A disk or network folder may hang: then the
//! loop that waits for it says so after a time, and the others go on.

use super::condition::Condition;
use super::generations::Generations;
use super::health::Health;
use super::notices::Notices;
use super::refusal::{Fault, Refusal};
use super::serving::Current;
use crate::snapshot::{self, LoadOptions, Pointer, Store, Terms};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, timeout};

/// After a snapshot was refused, it is tried again this often: what was wrong may have been the disk's
/// mood. A new publication is tried at once.
const RETRY: Duration = Duration::from_secs(30);
/// A suspect snapshot is verified again at most this often: verifying reads all of it.
const VERIFY_AGAIN: Duration = Duration::from_secs(60);
/// How often health is held against the snapshot's age, which changes without anything happening.
const LOOK_AT_AGE: Duration = Duration::from_secs(1);

/// Reading the pointer, a file of one line, or a manifest takes no longer.
const READ_TIME: Duration = Duration::from_secs(10);
/// Loading a snapshot, all of which is read, takes no longer.
const LOAD_TIME: Duration = Duration::from_secs(10 * 60);

/// Why a snapshot could not be loaded.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    /// There is none, or it is damaged.
    #[error(transparent)]
    Store(#[from] snapshot::LoadError),
    /// It has not been read yet.
    #[error("reading it takes longer than {} s: the disk or the network folder hangs", .0.as_secs())]
    Hangs(Duration),
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
    pub(super) looks: Looks,
}

/// How the loops tell each other.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// The store is to be looked at.
    wanted: Notify,
    /// It has been.
    done: Notify,
    /// What is served may have changed.
    changed: Notify,
}

/// What the watcher knows of the store.
pub(super) struct Seen {
    store: Store,
    notices: Notices,
    /// The publication looked at last; `None` while the pointer cannot be read.
    pointer: Option<Pointer>,
    service: Mutex<Service>,
}

/// What is known of the publications that were served.
#[derive(Debug)]
struct Service {
    /// The one that is served, or was until it was found damaged.
    served: Pointer,
    generations: Generations,
    /// When a publication was refused last, if the one looked at last was.
    refused: Option<Instant>,
}

fn lock(service: &Mutex<Service>) -> MutexGuard<'_, Service> {
    // Whoever panicked with it held was about to replace all of it.
    service.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.announce();
        Ok((
            current,
            Seen {
                // Before the first look of `run`: what is published in between is found by that.
                notices: Notices::of(store.path()).await,
                store,
                service: Mutex::new(Service {
                    served: pointer.clone(),
                    generations,
                    refused: None,
                }),
                pointer: Some(pointer),
            },
        ))
    }

    /// Takes over what is published, for ever.
    pub(super) async fn run(&self, seen: Seen) {
        let Seen {
            store,
            mut notices,
            mut pointer,
            service,
        } = seen;
        tokio::join!(
            self.look_again_and_again(&store, &mut notices, &mut pointer, &service),
            self.verify_the_suspect(&store, &service),
            self.announce_again_and_again(),
        );
    }

    async fn look_again_and_again(
        &self,
        store: &Store,
        notices: &mut Notices,
        pointer: &mut Option<Pointer>,
        service: &Mutex<Service>,
    ) {
        let mut looks = ticks(self.every);
        loop {
            self.condition.set_notified(notices.come());
            tokio::select! {
                _ = looks.tick() => notices.renew().await,
                () = notices.published() => {}
                () = self.looks.wanted.notified() => {}
            }
            self.look(store, pointer, service).await;
            self.looks.done.notify_waiters();
            self.looks.changed.notify_one();
        }
    }

    async fn verify_the_suspect(&self, store: &Store, service: &Mutex<Service>) {
        loop {
            self.condition.serving.suspected().await;
            // What it was loaded from may have been removed by a publish since: then what is published now
            // is the better one to have.
            let looked = self.looks.done.notified();
            self.looks.wanted.notify_one();
            let _ = timeout(READ_TIME, looked).await;
            self.verify_again(store, service).await;
            self.looks.changed.notify_one();
            sleep(VERIFY_AGAIN).await;
        }
    }

    async fn announce_again_and_again(&self) {
        let mut ages = ticks(LOOK_AT_AGE);
        loop {
            tokio::select! {
                _ = ages.tick() => {}
                () = self.looks.changed.notified() => {}
            }
            self.announce();
        }
    }

    /// Says whether checks are to be sent here, if that has changed.
    fn announce(&self) {
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
    async fn look(&self, store: &Store, last: &mut Option<Pointer>, service: &Mutex<Service>) {
        let read = {
            let store = store.clone();
            in_time(
                READ_TIME,
                move || store.pointer(),
                || {
                    // When it can be read after all, it is looked at as a new one.
                    *last = None;
                    self.refuse_unread(LoadError::Hangs(READ_TIME));
                },
            )
        };
        let pointer = match read.await {
            Ok(pointer) => pointer,
            Err(error) => {
                // Said once, not at every look.
                if last.take().is_some() {
                    self.refuse_unread(error);
                }
                return;
            }
        };
        let refused = lock(service).refused;
        let try_again = refused.is_some_and(|at| at.elapsed() >= RETRY);
        if last.as_ref() == Some(&pointer) && !try_again {
            return;
        }
        let taken = self.take_over(store, service, &pointer).await;
        if taken.is_ok() {
            self.condition.accept();
        }
        lock(service).refused = taken.err().map(|Refused| Instant::now());
        *last = Some(pointer);
    }

    /// Says that the pointer cannot be read.
    fn refuse_unread(&self, error: LoadError) {
        let meanwhile = self.meanwhile();
        tracing::error!(%error, "what is published cannot be read; {meanwhile}");
        self.refuse(None, None, &error.into());
    }

    /// Puts a publication into service, or says why not.
    async fn take_over(
        &self,
        store: &Store,
        service: &Mutex<Service>,
        pointer: &Pointer,
    ) -> Result<(), Refused> {
        let served = self.condition.serving.hold().ok();
        let is_served = *pointer == lock(service).served;
        if served.is_some() && is_served {
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
            Refused
        };
        let late = |generation, limit| {
            refused(generation, LoadError::Hangs(limit).into());
        };
        let manifest = {
            let (store, pointer) = (store.clone(), pointer.clone());
            in_time(
                READ_TIME,
                move || store.manifest(&pointer),
                || late(None, READ_TIME),
            )
        };
        let manifest = manifest
            .await
            .map_err(|error| refused(None, error.into()))?;
        let generation = Some(manifest.generation);
        // What was taken out of service may come back as it was.
        if !is_served {
            let admitted = lock(service).generations.admit(&manifest);
            admitted.map_err(|error| refused(generation, error.into()))?;
        }
        let current = self
            .load(store, pointer, served.clone(), || {
                late(generation, LOAD_TIME)
            })
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
        self.serve(&mut lock(service), pointer, current);
        Ok(())
    }

    /// Opens what is served anew, which verifies every byte. Damaged, it is taken out of service: a
    /// wrong answer is worse than none, which sends the client to another server. So it is while that can't be told.
    async fn verify_again(&self, store: &Store, service: &Mutex<Service>) {
        let served = lock(service).served.clone();
        // Another one may take its place meanwhile, which was verified then.
        let still = || Some(lock(service)).filter(|service| service.served == served);
        let out_of_service = |error: LoadError| {
            let Some(mut service) = still() else {
                return;
            };
            tracing::error!(%error, "the suspect snapshot is damaged: no checks are answered until a sound one is found");
            let served_now = self.condition.serving.hold().ok();
            let generation = served_now.map(|served| served.snapshot().generation());
            self.refuse(Some(&served), generation, &error.into());
            self.replace(None);
            self.looks.changed.notify_one();
            service.refused = Some(Instant::now());
        };
        let late = || out_of_service(LoadError::Hangs(LOAD_TIME));
        match self.load(store, &served, None, late).await {
            Ok(current) => {
                let Some(mut service) = still() else {
                    return;
                };
                tracing::warn!(
                    "the suspect snapshot was verified and stays in service: what is answered from is whole"
                );
                self.condition.verified(true);
                self.serve(&mut service, &served, current);
            }
            Err(error) => {
                self.condition.verified(false);
                out_of_service(error);
            }
        }
    }

    /// Puts a loaded publication into service.
    fn serve(&self, service: &mut Service, pointer: &Pointer, current: Arc<Current>) {
        service.generations.served(current.snapshot().manifest());
        service.served = pointer.clone();
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

    /// Loads a publication; what it has in common with the snapshot `served` is not opened again.
    async fn load(
        &self,
        store: &Store,
        pointer: &Pointer,
        served: Option<Arc<Current>>,
        late: impl FnOnce(),
    ) -> Result<Arc<Current>, LoadError> {
        let (store, pointer) = (store.clone(), pointer.clone());
        let (options, ages) = (self.options, self.condition.ages);
        let load = move || {
            let snapshot = match served {
                Some(served) => store.load_beside(&pointer, &options, served.snapshot())?,
                None => store.load(&pointer, &options)?,
            };
            Ok(Arc::new(Current::new(snapshot, ages)))
        };
        in_time(LOAD_TIME, load, late).await
    }
}

/// It was refused, which has been said.
struct Refused;

fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Does what reads the disk where it holds up no other task.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, snapshot::LoadError> + Send + 'static,
) -> Result<T, LoadError> {
    flatten(spawn_blocking(work).await)
}

/// The same; calls `late` if it takes longer than it may. It is waited for nevertheless: nothing can break it off, and
/// with each further try another thread would hang.
async fn in_time<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> Result<T, snapshot::LoadError> + Send + 'static,
    late: impl FnOnce(),
) -> Result<T, LoadError> {
    let mut work = spawn_blocking(work);
    match timeout(limit, &mut work).await {
        Ok(ended) => flatten(ended),
        Err(_) => {
            late();
            flatten(work.await)
        }
    }
}

fn flatten<T>(ended: Result<Result<T, snapshot::LoadError>, JoinError>) -> Result<T, LoadError> {
    match ended {
        Ok(done) => Ok(done?),
        Err(_) => Err(LoadError::Panicked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn what_hangs_is_said_and_waited_for() {
        let (release, hang) = mpsc::channel();
        let (say, mut said) = tokio::sync::oneshot::channel();
        let work = in_time(
            Duration::from_millis(10),
            move || Ok(hang.recv().ok()),
            || say.send(()).unwrap(),
        );
        let work = async { work.await.ok().flatten() };
        let release = async {
            (&mut said).await.unwrap();
            release.send(7).unwrap();
        };
        assert_eq!(tokio::join!(work, release), (Some(7), ()));
    }

    #[tokio::test]
    async fn what_is_quick_is_no_news() {
        let limit = Duration::from_secs(3_600);
        let work = in_time(limit, || Ok(7), || panic!("said to hang"));
        assert!(matches!(work.await, Ok(7)));
        let work = in_time(limit, || -> Result<u8, _> { panic!("a panic") }, || {});
        assert!(matches!(work.await, Err(LoadError::Panicked)));
    }
}
