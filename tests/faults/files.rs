//! Single files, replaced in the right way and in others: whether what is injected is seen at all.

use super::endure::{Place, losses};
use sltd::files::faults::{Disk, Fault, Image, Kind, Loss, Plan};
use sltd::files::{self, File, FolderReplacement};
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::SystemTime;

type Replace = fn(&Path) -> io::Result<()>;

/// What the file may hold if the process dies at any step of replacing it, and what if it was replaced and then the
/// power went. Before it holds `old`.
fn outcomes(replace: Replace) -> (BTreeSet<String>, BTreeSet<String>) {
    let text = |image: &Image| match image.file("file") {
        Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        None => "nothing".to_owned(),
    };
    let (mut died, mut done) = (BTreeSet::new(), BTreeSet::new());
    for number in 0.. {
        for fault in [Fault::Dies, Fault::DiesWithin] {
            let place = Place::with(&Image::default());
            let folder = place.store();
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join("file"), "old").unwrap();
            let plan = Plan {
                kind: Kind::Change,
                number,
                fault,
            };
            let disk = Disk::watch(&folder, Some(plan)).unwrap();
            let replaced = replace(&folder.join("file"));
            let found = losses(number)
                .into_iter()
                .map(|loss| text(&disk.after(loss)));
            match disk.met() {
                Some(_) => {
                    assert!(replaced.is_err());
                    died.extend(found);
                }
                None => {
                    replaced.unwrap();
                    done.extend(found);
                    return (died, done);
                }
            }
        }
    }
    unreachable!("there are fewer steps than numbers")
}

fn texts<const N: usize>(texts: [&str; N]) -> BTreeSet<String> {
    texts.map(str::to_owned).into()
}

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    let (died, done) = outcomes(|path| files::write_whole(path, b"newer"));
    assert_eq!(died, texts(["old", "newer"]));
    assert_eq!(done, texts(["newer"]));
}

#[test]
fn what_is_done_in_fewer_steps_is_seen_to_fail() {
    let (died, _) = outcomes(|path| File::create(path)?.write_all(b"newer"));
    assert!(died.is_superset(&texts(["", "ne", "old"])), "{died:?}");
    let (_, done) = outcomes(|path| {
        let temporary = files::temporary(path);
        File::create(&temporary)?.write_all(b"newer")?;
        files::rename(&temporary, path)
    });
    assert!(done.is_superset(&texts(["", "ne", "newer"])), "{done:?}");
    let (_, done) = outcomes(|path| {
        let file = File::create(path)?;
        file.write_all(b"newer")?;
        file.sync_all()?;
        files::remove_file(path)?;
        Ok(())
    });
    assert_eq!(done, texts(["newer", "nothing"]));
}

#[test]
fn what_is_full_takes_nothing_more_but_gives_room() {
    let place = Place::with(&Image::default());
    let disk = place.watch(Some(Plan {
        kind: Kind::Change,
        number: 1,
        fault: Fault::Stays(rustix::io::Errno::NOSPC),
    }));
    let path = place.store();
    let file = File::create(&path).unwrap();
    for _ in 0..2 {
        let error = file.write_all(b"text").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
    assert!(files::create_folder(&path.with_extension("more")).is_err());
    assert!(files::remove_file(&path).unwrap());
    assert!(disk.met().unwrap().starts_with("write"));
    assert_eq!(disk.after(Loss::Nothing), Image::default());
}

/// What a folder may hold, as names and texts, if the process dies at any step of replacing it, and what if the power
/// went once it was replaced.
fn folder_outcomes() -> (BTreeSet<String>, BTreeSet<String>) {
    let text = |image: &Image| -> String {
        let of = |name: &str| {
            let bytes = image.file(format!("lists/{name}"))?;
            Some(format!("{name} {} ", String::from_utf8_lossy(bytes)))
        };
        ["a.csv", "b.csv", "c.csv"]
            .into_iter()
            .filter_map(of)
            .collect()
    };
    let replace = |folder: &Path, from: &Path| -> io::Result<()> {
        let replacement = FolderReplacement::begin(&folder.join("lists"))?;
        for name in ["b.csv", "c.csv"] {
            let copied = replacement.copy(&from.join(name), SystemTime::UNIX_EPOCH);
            copied.map_err(|(_, error)| error)?;
        }
        replacement.finish()
    };
    let inbox = Place::with(&Image::default());
    std::fs::create_dir(inbox.store()).unwrap();
    for name in ["b.csv", "c.csv"] {
        std::fs::write(inbox.store().join(name), "newer").unwrap();
    }
    let (mut died, mut done) = (BTreeSet::new(), BTreeSet::new());
    for number in 0.. {
        for fault in [Fault::Dies, Fault::DiesWithin] {
            let place = Place::with(&Image::default());
            let folder = place.store();
            std::fs::create_dir_all(folder.join("lists")).unwrap();
            std::fs::write(folder.join("lists/a.csv"), "old").unwrap();
            std::fs::write(folder.join("lists/b.csv"), "old").unwrap();
            let plan = Plan {
                kind: Kind::Change,
                number,
                fault,
            };
            let disk = Disk::watch(&folder, Some(plan)).unwrap();
            let replaced = replace(&folder, &inbox.store());
            let images: Vec<_> = losses(number)
                .into_iter()
                .map(|loss| disk.after(loss))
                .collect();
            let met = disk.met();
            drop(disk);
            if met.is_some() {
                // What it has left does not hinder the next.
                for image in &images {
                    let next = Place::with(image);
                    replace(next.path(), &inbox.store()).unwrap();
                    let disk = Disk::watch(next.path(), None).unwrap();
                    let image = disk.after(Loss::Nothing);
                    assert_eq!(text(&image), "b.csv newer c.csv newer ", "{met:?}");
                }
            }
            let found = images.iter().map(text);
            match met {
                Some(_) => {
                    // What is only left to be removed is no matter.
                    died.extend(found);
                }
                None => {
                    replaced.unwrap();
                    done.extend(found);
                    return (died, done);
                }
            }
        }
    }
    unreachable!("there are fewer steps than numbers")
}

#[test]
fn a_folder_is_replaced_whole_or_not_at_all() {
    let (died, done) = folder_outcomes();
    let (old, new) = ("a.csv old b.csv old ", "b.csv newer c.csv newer ");
    assert_eq!(died, texts([old, new]));
    assert_eq!(done, texts([new]));
}
