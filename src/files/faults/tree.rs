//! A folder as the process sees it, and as it would be found after a loss.

use super::image::{Image, Loss};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The place of a file or folder in the tree's list.
pub(super) type FileId = usize;

/// The folder watched.
const TOP: FileId = 0;

#[derive(Debug)]
pub(super) struct Tree(Vec<Node>);

#[derive(Debug)]
enum Node {
    File(Content),
    Folder(Folder),
}

/// What a file holds. It survives all its names: an open file can still be written.
#[derive(Debug, Default)]
struct Content {
    now: Arc<Vec<u8>>,
    synced: Arc<Vec<u8>>,
}

type Names = BTreeMap<OsString, FileId>;

#[derive(Debug, Default)]
struct Folder {
    now: Names,
    synced: Names,
    /// Since the last sync, in order: what a name means then, if anything.
    since: Vec<(OsString, Option<FileId>)>,
}

impl Folder {
    fn set(&mut self, name: &OsStr, to: Option<FileId>) {
        match to {
            Some(id) => self.now.insert(name.to_owned(), id),
            None => self.now.remove(name),
        };
        self.since.push((name.to_owned(), to));
    }
}

impl Tree {
    /// All that is in a folder, durable.
    pub(super) fn read(folder: &Path) -> io::Result<Self> {
        let mut tree = Self(Vec::new());
        tree.read_into(folder)?;
        Ok(tree)
    }

    fn read_into(&mut self, folder: &Path) -> io::Result<FileId> {
        let id = self.add(Node::Folder(Folder::default()));
        let mut names = Names::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let within = if entry.file_type()?.is_dir() {
                self.read_into(&entry.path())?
            } else {
                let bytes = Arc::new(fs::read(entry.path())?);
                self.add(Node::File(Content {
                    now: Arc::clone(&bytes),
                    synced: bytes,
                }))
            };
            names.insert(entry.file_name(), within);
        }
        if let Some(folder) = self.folder_mut(id) {
            folder.now.clone_from(&names);
            folder.synced = names;
        }
        Ok(id)
    }

    fn add(&mut self, node: Node) -> FileId {
        self.0.push(node);
        self.0.len() - 1
    }

    fn folder(&self, id: FileId) -> Option<&Folder> {
        match self.0.get(id) {
            Some(Node::Folder(folder)) => Some(folder),
            _ => None,
        }
    }

    fn folder_mut(&mut self, id: FileId) -> Option<&mut Folder> {
        match self.0.get_mut(id) {
            Some(Node::Folder(folder)) => Some(folder),
            _ => None,
        }
    }

    fn content(&mut self, id: FileId) -> Option<&mut Content> {
        match self.0.get_mut(id) {
            Some(Node::File(content)) => Some(content),
            _ => None,
        }
    }

    /// What a path leads to now.
    fn find(&self, path: &Path) -> Option<FileId> {
        path.iter().try_fold(TOP, |folder, name| {
            self.folder(folder)?.now.get(name).copied()
        })
    }

    fn set(&mut self, path: &Path, to: Option<FileId>) {
        if let (Some(above), Some(name)) = (path.parent(), path.file_name())
            && let Some(folder) = self.find(above)
            && let Some(folder) = self.folder_mut(folder)
        {
            folder.set(name, to);
        }
    }

    /// A file was opened, and made where it was missing.
    pub(super) fn create(&mut self, path: &Path, emptied: bool) -> Option<FileId> {
        match self.find(path) {
            None => {
                let id = self.add(Node::File(Content::default()));
                self.set(path, Some(id));
                Some(id)
            }
            Some(id) => {
                let content = self.content(id)?;
                if emptied {
                    content.now = Arc::default();
                }
                Some(id)
            }
        }
    }

    /// Bytes were written at an offset, or at the end.
    pub(super) fn write(&mut self, file: FileId, bytes: &[u8], offset: Option<u64>) {
        if let Some(content) = self.content(file) {
            let now = Arc::make_mut(&mut content.now);
            let start = offset.map_or(now.len(), |offset| offset as usize);
            let end = start + bytes.len();
            if now.len() < end {
                now.resize(end, 0);
            }
            if let Some(place) = now.get_mut(start..end) {
                place.copy_from_slice(bytes);
            }
        }
    }

    pub(super) fn sync(&mut self, file: FileId) {
        if let Some(content) = self.content(file) {
            content.synced = Arc::clone(&content.now);
        }
    }

    pub(super) fn sync_folder(&mut self, path: &Path) {
        if let Some(folder) = self.find(path)
            && let Some(folder) = self.folder_mut(folder)
        {
            folder.synced.clone_from(&folder.now);
            folder.since.clear();
        }
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) {
        let id = self.find(from);
        self.set(from, None);
        self.set(to, id);
    }

    /// Two names of one folder are exchanged in one step, which is durable as a whole or not at all.
    pub(super) fn exchange(&mut self, one: &Path, other: &Path) {
        let (first, second) = (self.find(one), self.find(other));
        self.set(one, second);
        self.set(other, first);
    }

    pub(super) fn link(&mut self, from: &Path, to: &Path) {
        let id = self.find(from);
        self.set(to, id);
    }

    pub(super) fn create_folder(&mut self, path: &Path) {
        let id = self.add(Node::Folder(Folder::default()));
        self.set(path, Some(id));
    }

    pub(super) fn remove(&mut self, path: &Path) {
        self.set(path, None);
    }

    /// What is found after a loss.
    pub(super) fn after(&self, loss: Loss) -> Image {
        let mut image = Image::default();
        let mut draws = Draws::of(loss);
        self.gather(TOP, Path::new(""), loss, &mut draws, &mut image);
        image
    }

    fn gather(&self, id: FileId, path: &Path, loss: Loss, draws: &mut Draws, image: &mut Image) {
        match self.0.get(id) {
            None => {}
            Some(Node::File(content)) => {
                let bytes = content.after(loss, draws);
                image.0.insert(path.to_owned(), Some(bytes));
            }
            Some(Node::Folder(folder)) => {
                if id != TOP {
                    image.0.insert(path.to_owned(), None);
                }
                for (name, id) in folder.after(loss, draws) {
                    self.gather(id, &path.join(name), loss, draws, image);
                }
            }
        }
    }
}

impl Folder {
    fn after(&self, loss: Loss, draws: &mut Draws) -> Names {
        match loss {
            Loss::Nothing | Loss::Contents | Loss::Halves | Loss::Zeros => self.now.clone(),
            Loss::Everything => self.synced.clone(),
            Loss::Any(_) => {
                let mut names = self.synced.clone();
                for (name, to) in &self.since {
                    if draws.below(2) == 0 {
                        match to {
                            Some(id) => names.insert(name.clone(), *id),
                            None => names.remove(name),
                        };
                    }
                }
                names
            }
        }
    }
}

impl Content {
    fn after(&self, loss: Loss, draws: &mut Draws) -> Arc<Vec<u8>> {
        let loss = match loss {
            Loss::Any(_) => [Loss::Nothing, Loss::Contents, Loss::Halves, Loss::Zeros]
                .get(draws.below(4))
                .copied()
                .unwrap_or(loss),
            loss => loss,
        };
        // What was appended to is there up to its end then.
        let kept = match self.now.starts_with(&self.synced) {
            true => self.synced.len(),
            false => 0,
        };
        match loss {
            Loss::Nothing => Arc::clone(&self.now),
            Loss::Contents | Loss::Everything | Loss::Any(_) => Arc::clone(&self.synced),
            Loss::Halves => {
                let end = kept + (self.now.len() - kept) / 2;
                Arc::new(self.now.get(..end).unwrap_or_default().to_vec())
            }
            Loss::Zeros => {
                let mut bytes = self.now.to_vec();
                bytes.iter_mut().skip(kept).for_each(|byte| *byte = 0);
                Arc::new(bytes)
            }
        }
    }
}

/// A small generator: the same numbers on every machine.
struct Draws(u64);

impl Draws {
    fn of(loss: Loss) -> Self {
        match loss {
            Loss::Any(seed) => Self(seed),
            _ => Self(0),
        }
    }

    fn below(&mut self, end: u64) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((u128::from(self.0) * u128::from(end)) >> 64) as usize
    }
}
