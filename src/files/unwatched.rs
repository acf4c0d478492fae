//! Nobody watches: every operation is what it does.

use std::fs::File;
use std::io;
use std::path::Path;

/// Of no size and without effect; the twin of the one in `faults`.
#[derive(Debug, Clone)]
pub(super) struct Watch;

impl Watch {
    pub(super) fn over(_: &Path) -> Self {
        Self
    }

    pub(super) fn read<T>(&self, read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        read()
    }

    pub(super) fn create(
        self,
        _: &Path,
        create: impl FnOnce() -> io::Result<File>,
    ) -> io::Result<(File, Self)> {
        Ok((create()?, self))
    }

    pub(super) fn open_or_create(
        self,
        _: &Path,
        open: impl FnOnce() -> io::Result<File>,
    ) -> io::Result<(File, Self)> {
        Ok((open()?, self))
    }

    pub(super) fn write(
        &self,
        bytes: &[u8],
        _: Option<u64>,
        write: impl FnOnce(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        write(bytes)
    }

    pub(super) fn sync(&self, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        sync()
    }

    pub(super) fn sync_folder(
        &self,
        _: &Path,
        sync: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        sync()
    }

    pub(super) fn rename(
        &self,
        _: &Path,
        _: &Path,
        rename: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        rename()
    }

    pub(super) fn exchange(
        &self,
        _: &Path,
        _: &Path,
        exchange: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        exchange()
    }

    pub(super) fn link(
        &self,
        _: &Path,
        _: &Path,
        link: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        link()
    }

    pub(super) fn create_folder(
        &self,
        _: &Path,
        create: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        create()
    }

    pub(super) fn remove_file(
        &self,
        _: &Path,
        remove: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        remove()
    }

    pub(super) fn remove_folder(
        &self,
        _: &Path,
        remove: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        remove()
    }
}
