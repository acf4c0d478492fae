//! Word from the system that something was published, so that it need not be looked for.
//!
//! On Linux the kernel tells of every file that gets the name `CURRENT` in the store's folder
//! (inotify). It tells nothing of what another machine writes to a network file system, and has a limit
//! of watches for each user, so whoever uses this looks from time to time as well.
//!
//! The crate `inotify` is a thin cover over the system's calls. One folder and one name need none of what
//! `notify` does beside that: trees of folders, other systems, a thread of its own.

#[cfg(target_os = "linux")]
pub(super) use linux::Notices;
#[cfg(not(target_os = "linux"))]
pub(super) use none::Notices;

#[cfg(target_os = "linux")]
mod linux {
    use crate::snapshot::Store;
    use inotify::{EventMask, EventOwned, EventStream, Inotify, WatchMask};
    use rustix::fs::stat;
    use std::io;
    use std::path::{Path, PathBuf};
    use tokio::task::spawn_blocking;
    use tokio_stream::StreamExt as _;

    /// Room for some dozen events at a time; more are read in turn.
    const EVENTS_BYTES: usize = 4_096;

    /// A folder, whatever its path is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    struct Folder {
        device: u64,
        inode: u64,
    }

    #[derive(Debug)]
    struct Watch {
        events: EventStream<Vec<u8>>,
        folder: Folder,
    }

    /// Notices of publications.
    #[derive(Debug)]
    pub(in crate::service) struct Notices {
        path: PathBuf,
        /// `None` where the system does not tell.
        watch: Option<Watch>,
        /// Whether it was said that the system does not tell.
        complained: bool,
    }

    impl Notices {
        /// Of the store in this folder.
        pub(in crate::service) async fn of(path: &Path) -> Self {
            let mut notices = Self {
                path: path.to_owned(),
                watch: None,
                complained: false,
            };
            notices.renew().await;
            notices
        }

        /// Whether the system tells of publications.
        pub(in crate::service) fn come(&self) -> bool {
            self.watch.is_some()
        }

        /// Watches the folder that the path leads to now, if that is another one, or none was watched:
        /// folders are moved, and links made to point elsewhere. To be called from time to time.
        pub(in crate::service) async fn renew(&mut self) {
            let path = self.path.clone();
            let watched = self.watch.as_ref().map(|watch| watch.folder);
            // A disk that hangs must hold up no other task.
            let renewed = spawn_blocking(move || {
                let folder = folder(&path)?;
                let is_watched = watched == Some(folder);
                Ok(if is_watched {
                    None
                } else {
                    Some((watch(&path)?, folder))
                })
            });
            let renewed: io::Result<_> = renewed.await.unwrap_or_else(|ended| Err(ended.into()));
            let watch = renewed.and_then(|renewed| {
                let Some((inotify, folder)) = renewed else {
                    return Ok(None);
                };
                let events = inotify.into_event_stream(vec![0; EVENTS_BYTES])?;
                Ok(Some(Watch { events, folder }))
            });
            match watch {
                Ok(None) => {}
                Ok(renewed) => self.watch = renewed,
                Err(error) => {
                    self.watch = None;
                    if !self.complained {
                        self.complained = true;
                        tracing::warn!(
                            %error,
                            "the system does not tell of publications: they are noticed by looking only"
                        );
                    }
                }
            }
        }

        /// Waits until something may have been published; for ever where the system does not tell.
        pub(in crate::service) async fn published(&mut self) {
            while let Some(watch) = &mut self.watch {
                match watch.events.next().await {
                    Some(Ok(event)) if event.mask.contains(EventMask::IGNORED) => self.watch = None,
                    Some(Ok(event)) if !is_publication(&event) => continue,
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => self.watch = None,
                }
                // Where no more word will come, looking finds out what has become of the store.
                return;
            }
            std::future::pending().await
        }
    }

    /// Whether an event may tell of a publication; it does if some were lost.
    fn is_publication(event: &EventOwned) -> bool {
        event.mask.contains(EventMask::Q_OVERFLOW)
            || event
                .name
                .as_ref()
                .is_some_and(|name| name == Store::POINTER)
    }

    fn folder(path: &Path) -> io::Result<Folder> {
        let found = stat(path)?;
        Ok(Folder {
            device: found.st_dev,
            inode: found.st_ino,
        })
    }

    fn watch(path: &Path) -> io::Result<Inotify> {
        let inotify = Inotify::init()?;
        // A publish renames; whoever writes in place, as a careless operator may, is noticed too.
        let what = WatchMask::MOVED_TO | WatchMask::CLOSE_WRITE | WatchMask::ONLYDIR;
        inotify.watches().add(path, what)?;
        Ok(inotify)
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::fs;
        use std::time::Duration;
        use tokio::time::timeout;

        /// Longer than any system takes to tell.
        const PATIENCE: Duration = Duration::from_secs(60);

        async fn told(notices: &mut Notices) {
            timeout(PATIENCE, notices.published()).await.unwrap();
        }

        /// The next word, of whatever file it is: its name, and whether it tells of a publication.
        async fn word(notices: &mut Notices) -> (String, bool) {
            let events = &mut notices.watch.as_mut().unwrap().events;
            let event = timeout(PATIENCE, events.next()).await.unwrap();
            let event = event.unwrap().unwrap();
            let name = event.name.clone().unwrap_or_default();
            (name.into_string().unwrap(), is_publication(&event))
        }

        #[tokio::test]
        async fn only_the_pointer_is_told_of() {
            let dir = tempfile::tempdir().unwrap();
            let path = |name: &str| dir.path().join(name);
            let mut notices = Notices::of(dir.path()).await;
            assert!(notices.come());
            fs::write(path("history.jsonl"), "{}").unwrap();
            fs::write(path("CURRENT.tmp"), "new").unwrap();
            fs::rename(path("CURRENT.tmp"), path("CURRENT")).unwrap();
            for (name, told) in [
                ("history.jsonl", false),
                ("CURRENT.tmp", false),
                ("CURRENT", true),
            ] {
                assert_eq!(word(&mut notices).await, (name.to_owned(), told));
            }
            fs::write(path("history.jsonl"), "{}").unwrap();
            fs::write(path("CURRENT"), "in place").unwrap();
            told(&mut notices).await;
        }

        #[tokio::test]
        async fn another_folder_of_the_same_name_is_watched_when_it_comes() {
            let dir = tempfile::tempdir().unwrap();
            let store = dir.path().join("store");
            fs::create_dir(&store).unwrap();
            let mut notices = Notices::of(&store).await;
            fs::rename(&store, dir.path().join("old")).unwrap();
            notices.renew().await;
            assert!(!notices.come());
            fs::create_dir(&store).unwrap();
            notices.renew().await;
            assert!(notices.come());
            // Nothing is told any more of the one before.
            fs::write(dir.path().join("old/CURRENT"), "").unwrap();
            fs::write(store.join("history.jsonl"), "").unwrap();
            assert_eq!(
                word(&mut notices).await,
                ("history.jsonl".to_owned(), false)
            );
            // Renewed, it is the same one still, and no word is lost.
            fs::write(store.join("CURRENT"), "").unwrap();
            notices.renew().await;
            assert_eq!(word(&mut notices).await, ("CURRENT".to_owned(), true));
            // Removed, it can tell nothing more.
            fs::remove_dir_all(&store).unwrap();
            told(&mut notices).await;
            assert!(!notices.come());
        }

        #[tokio::test]
        async fn where_nothing_is_told_one_waits_for_ever() {
            let mut notices = Notices::of(Path::new("/nowhere")).await;
            assert!(!notices.come());
            let waited = timeout(Duration::from_millis(1), notices.published()).await;
            assert!(waited.is_err());
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod none {
    use std::path::Path;

    /// Notices of publications, which this system does not give.
    #[derive(Debug)]
    pub(in crate::service) struct Notices;

    impl Notices {
        pub(in crate::service) async fn of(_: &Path) -> Self {
            Self
        }

        pub(in crate::service) fn come(&self) -> bool {
            false
        }

        pub(in crate::service) async fn renew(&mut self) {}

        pub(in crate::service) async fn published(&mut self) {
            std::future::pending().await
        }
    }
}
