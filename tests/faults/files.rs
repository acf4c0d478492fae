//! Single files, replaced in the right way and in others: whether what is injected is seen at all.

use super::endure::{Place, losses};
use sltd::files::faults::{Disk, Fault, Image, Kind, Loss, Plan};
use sltd::files::{self, File};
use std::collections::BTreeSet;
use std::io;
use std::path::Path;

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
