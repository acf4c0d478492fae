//! Disks that fail, and processes that die, for tests; there only with the feature `fault-injection`.
//!
//! A [`Disk`] watches a folder of this process, whatever threads work in it, as long as it lives. Its [`Plan`] picks one
//! operation by its number and says what happens to it ([`Fault`]). Meanwhile it keeps account of what was made durable
//! ([`Disk::after`]): what would be in the folder if then the process died or the power went ([`Loss`]). Syncs are only
//! noted, which is what makes thousands of runs cheap.

mod image;
mod tree;

pub use image::{Image, Loss};

use rustix::io::Errno;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tree::{FileId, Tree};

/// All folders that are watched now.
static DISKS: RwLock<Vec<Arc<Shared>>> = RwLock::new(Vec::new());

/// Operations, numbered from 0 each kind by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Those that change the disk, or make it durable.
    Change,
    /// Those that read.
    Read,
}

/// What happens to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails and has done nothing. Later ones succeed.
    Fails(Errno),
    /// If it is a write, it does a half and fails; else it fails. Later ones succeed.
    Torn(Errno),
    /// It fails, and so do all later ones of its kind. A disk that is full (`NOSPC`) only refuses what takes room.
    Stays(Errno),
    /// The process dies before it: nothing is done any more, whatever still runs.
    Dies,
    /// The process dies in it: of a write a half is done.
    DiesWithin,
}

/// Which operation meets a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The kind of the operation.
    pub kind: Kind,
    /// Its number among those of its kind.
    pub number: u64,
    /// What happens to it.
    pub fault: Fault,
}

/// A watched folder.
#[derive(Debug)]
pub struct Disk(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tree: Tree,
    plan: Option<Plan>,
    changes: u64,
    reads: u64,
    dead: bool,
    met: Option<String>,
}

impl Disk {
    /// Watches a folder, all that is in it being durable. `folder` is absolute, as are all paths that lead into it.
    ///
    /// # Errors
    /// What the system says when it can't be read.
    pub fn watch(folder: &Path, plan: Option<Plan>) -> io::Result<Self> {
        let state = State {
            tree: Tree::read(folder)?,
            plan,
            changes: 0,
            reads: 0,
            dead: false,
            met: None,
        };
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            state: Mutex::new(state),
        });
        let mut disks = DISKS.write().unwrap_or_else(PoisonError::into_inner);
        disks.push(Arc::clone(&shared));
        Ok(Self(shared))
    }

    /// Lets everything succeed from now on; who has died stays dead.
    pub fn mend(&self) {
        self.0.state().plan = None;
    }

    /// The operation that met the fault; `None` if there were not so many.
    pub fn met(&self) -> Option<String> {
        self.0.state().met.clone()
    }

    /// Operations so far, those that failed included.
    pub fn operations(&self, kind: Kind) -> u64 {
        let state = self.0.state();
        match kind {
            Kind::Change => state.changes,
            Kind::Read => state.reads,
        }
    }

    /// What is in the folder after a loss, now or when the process died.
    pub fn after(&self, loss: Loss) -> Image {
        self.0.state().tree.after(loss)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let mut disks = DISKS.write().unwrap_or_else(PoisonError::into_inner);
        disks.retain(|disk| !Arc::ptr_eq(disk, &self.0));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an operation does instead of all of its work.
enum Verdict {
    Pass,
    /// A half of it, then the error.
    Half(io::Error),
}

impl State {
    /// Whether an operation may go on.
    fn admit(
        &mut self,
        kind: Kind,
        takes_room: bool,
        what: impl FnOnce() -> String,
    ) -> io::Result<Verdict> {
        let died = || io::Error::other("the process has died");
        if self.dead {
            return Err(died());
        }
        let count = match kind {
            Kind::Change => &mut self.changes,
            Kind::Read => &mut self.reads,
        };
        let number = *count;
        *count += 1;
        let Some(plan) = self.plan.filter(|plan| plan.kind == kind) else {
            return Ok(Verdict::Pass);
        };
        let refuses = |errno| errno != Errno::NOSPC || takes_room;
        let meets = match plan.fault {
            Fault::Stays(errno) => number >= plan.number && refuses(errno),
            _ => number == plan.number,
        };
        if !meets {
            return Ok(Verdict::Pass);
        }
        self.met.get_or_insert_with(what);
        match plan.fault {
            Fault::Fails(errno) | Fault::Stays(errno) => Err(errno.into()),
            Fault::Torn(errno) => Ok(Verdict::Half(errno.into())),
            Fault::Dies => {
                self.dead = true;
                Err(died())
            }
            Fault::DiesWithin => {
                self.dead = true;
                Ok(Verdict::Half(died()))
            }
        }
    }

    /// The same for what is not done by halves.
    fn admit_whole(&mut self, takes_room: bool, what: impl FnOnce() -> String) -> io::Result<()> {
        match self.admit(Kind::Change, takes_room, what)? {
            Verdict::Pass => Ok(()),
            Verdict::Half(error) => Err(error),
        }
    }
}

/// The way to the disk on which a path, or an open file, is; the twin of the one in `unwatched`.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    disk: Option<Arc<Shared>>,
    file: Option<FileId>,
}

impl Watch {
    pub(super) fn over(path: &Path) -> Self {
        let disks = DISKS.read().unwrap_or_else(PoisonError::into_inner);
        let mut disks = disks.iter();
        Self {
            disk: disks.find(|disk| path.starts_with(&disk.folder)).cloned(),
            file: None,
        }
    }

    pub(super) fn read<T>(&self, read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if let Some(disk) = &self.disk {
            let whole = disk
                .state()
                .admit(Kind::Read, false, || "a read".to_owned())?;
            if let Verdict::Half(error) = whole {
                return Err(error);
            }
        }
        read()
    }

    /// Does what makes a change, and notes it.
    fn change<T>(
        &self,
        what: &str,
        path: &Path,
        takes_room: bool,
        make: impl FnOnce() -> io::Result<T>,
        note: impl FnOnce(&mut Tree),
    ) -> io::Result<T> {
        let Some(disk) = &self.disk else {
            return make();
        };
        // Held meanwhile, so that the account is in the order of what was done.
        let mut state = disk.state();
        let what = || format!("{what} {}", disk.within(path).display());
        state.admit_whole(takes_room, what)?;
        let made = make()?;
        note(&mut state.tree);
        Ok(made)
    }

    fn opened(
        self,
        what: &str,
        path: &Path,
        emptied: bool,
        open: impl FnOnce() -> io::Result<fs::File>,
    ) -> io::Result<(fs::File, Self)> {
        let mut id = None;
        let file = self.change(what, path, true, open, |tree| {
            id = tree.create(self.within(path), emptied);
        })?;
        Ok((file, Self { file: id, ..self }))
    }

    pub(super) fn create(
        self,
        path: &Path,
        create: impl FnOnce() -> io::Result<fs::File>,
    ) -> io::Result<(fs::File, Self)> {
        self.opened("create", path, true, create)
    }

    pub(super) fn open_or_create(
        self,
        path: &Path,
        open: impl FnOnce() -> io::Result<fs::File>,
    ) -> io::Result<(fs::File, Self)> {
        self.opened("open or create", path, false, open)
    }

    pub(super) fn write(
        &self,
        bytes: &[u8],
        offset: Option<u64>,
        write: impl FnOnce(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let (Some(disk), Some(file)) = (&self.disk, self.file) else {
            return write(bytes);
        };
        let mut state = disk.state();
        let what = || format!("write of {} bytes", bytes.len());
        let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
        let (bytes, error) = match state.admit(Kind::Change, true, what)? {
            Verdict::Pass => (bytes, None),
            Verdict::Half(error) => (half, Some(error)),
        };
        write(bytes)?;
        state.tree.write(file, bytes, offset);
        error.map_or(Ok(()), Err)
    }

    pub(super) fn sync(&self, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let (Some(disk), Some(file)) = (&self.disk, self.file) else {
            return sync();
        };
        let mut state = disk.state();
        state.admit_whole(true, || "sync of a file".to_owned())?;
        state.tree.sync(file);
        Ok(())
    }

    pub(super) fn sync_folder(
        &self,
        path: &Path,
        sync: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        if self.disk.is_none() {
            return sync();
        }
        let note = |tree: &mut Tree| tree.sync_folder(self.within(path));
        self.change("sync of folder", path, true, || Ok(()), note)
    }

    pub(super) fn rename(
        &self,
        from: &Path,
        to: &Path,
        rename: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let note = |tree: &mut Tree| tree.rename(self.within(from), self.within(to));
        self.change("rename to", to, true, rename, note)
    }

    pub(super) fn exchange(
        &self,
        from: &Path,
        to: &Path,
        exchange: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let note = |tree: &mut Tree| tree.exchange(self.within(from), self.within(to));
        self.change("exchange with", to, true, exchange, note)
    }

    pub(super) fn link(
        &self,
        from: &Path,
        to: &Path,
        link: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let note = |tree: &mut Tree| tree.link(self.within(from), self.within(to));
        self.change("link to", to, true, link, note)
    }

    pub(super) fn create_folder(
        &self,
        path: &Path,
        create: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let note = |tree: &mut Tree| tree.create_folder(self.within(path));
        self.change("create folder", path, true, create, note)
    }

    pub(super) fn remove_file(
        &self,
        path: &Path,
        remove: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let note = |tree: &mut Tree| tree.remove(self.within(path));
        self.change("remove", path, false, remove, note)
    }

    /// Removes what is in the folder one by one, as the system's own function does, so that each can fail.
    pub(super) fn remove_folder(
        &self,
        path: &Path,
        remove: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        if self.disk.is_none() {
            return remove();
        }
        self.remove_all(path)
    }

    fn remove_all(&self, path: &Path) -> io::Result<()> {
        for entry in self.read(|| fs::read_dir(path)?.collect::<io::Result<Vec<_>>>())? {
            let within = entry.path();
            if entry.file_type()?.is_dir() {
                self.remove_all(&within)?;
            } else {
                self.remove_file(&within, || fs::remove_file(&within))?;
            }
        }
        self.remove_file(path, || fs::remove_dir(path))
    }

    fn within<'p>(&self, path: &'p Path) -> &'p Path {
        self.disk.as_ref().map_or(path, |disk| disk.within(path))
    }
}

impl Shared {
    /// A path relative to the folder.
    fn within<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.folder).unwrap_or(path)
    }
}
