//! The highest generation seen.

use super::*;

/// Why a snapshot is refused by what is remembered.
#[track_caller]
fn remembered(loaded: Result<Snapshot, LoadError>) -> HighestSeenError {
    match loaded {
        Err(LoadError::HighestSeen(error)) => error,
        other => panic!("expected what is remembered to stand against it: {other:?}"),
    }
}

#[test]
fn an_older_snapshot_is_refused_after_a_restart_too() {
    let desk = Desk::new();
    let signs = desk.signing(desk.trusts("old"), &["old"]);
    desk.build(&signs, 1).unwrap();
    let first = desk.current();
    let running = desk.server("old").unwrap();
    assert_eq!(desk.load(&running).unwrap().generation(), 1);
    desk.build(&signs, 2).unwrap();
    let second = desk.current();
    // Not seen by this server, so nothing is known of it.
    fs::write(desk.path("store/CURRENT"), &first).unwrap();
    assert_eq!(desk.load(&running).unwrap().generation(), 1);
    fs::write(desk.path("store/CURRENT"), &second).unwrap();
    assert_eq!(desk.load(&running).unwrap().generation(), 2);
    fs::write(desk.path("store/CURRENT"), &first).unwrap();
    for server in [running, desk.server("old").unwrap()] {
        match remembered(desk.load(&server)) {
            HighestSeenError::Older {
                generation: 1,
                highest: 2,
                ..
            } => {}
            other => panic!("{other:?}"),
        }
    }
    // Whoever trusts nobody in particular remembers nothing.
    assert_eq!(desk.load(&Terms::default()).unwrap().generation(), 1);
    fs::write(desk.path("store/CURRENT"), &second).unwrap();
    let server = desk.server("old").unwrap();
    assert_eq!(desk.load(&server).unwrap().generation(), 2);
    assert_eq!(files(&desk.path("state")).len(), 1);
    // Another store has generations of its own.
    fs::remove_dir_all(desk.path("store")).unwrap();
    desk.build(&signs, 3).unwrap();
    assert_eq!(desk.load(&server).unwrap().generation(), 1);
    assert_eq!(files(&desk.path("state")).len(), 2);
}

#[test]
fn only_what_could_be_served_is_remembered() {
    let desk = Desk::new();
    let signs = desk.signing(desk.trusts("old"), &["old"]);
    desk.build(&signs, 1).unwrap();
    let first = desk.current();
    let server = desk.server("old").unwrap();
    desk.load(&server).unwrap();
    let manifest = desk.build(&signs, 2).unwrap();
    let segment = desk.path("store/segments").join(&manifest.segments[0].file);
    fs::write(segment, "rubbish").unwrap();
    assert!(matches!(desk.load(&server), Err(LoadError::Segment { .. })));
    fs::write(desk.path("store/CURRENT"), &first).unwrap();
    assert_eq!(desk.load(&server).unwrap().generation(), 1);
}

#[test]
fn a_memory_that_can_not_be_relied_on_lets_nothing_in() {
    let desk = Desk::new();
    let signs = desk.signing(desk.trusts("old"), &["old"]);
    desk.build(&signs, 1).unwrap();
    let server = desk.server("old").unwrap();
    desk.load(&server).unwrap();
    let [name] = &files(&desk.path("state"))[..] else {
        panic!("expected one file");
    };
    let file = desk.path("state").join(name);
    let text = fs::read(&file).unwrap();
    for place in 0..text.len() {
        let mut changed = text.clone();
        changed[place] ^= 1;
        fs::write(&file, changed).unwrap();
        let refused = remembered(desk.load(&server));
        assert!(
            matches!(&refused, HighestSeenError::Damaged(path) if *path == file),
            "{refused:?}"
        );
    }
    for rubbish in [&b""[..], b"1", b"\xff\xff \n", &[&text[..], b"\n"].concat()] {
        fs::write(&file, rubbish).unwrap();
        assert!(matches!(
            remembered(desk.load(&server)),
            HighestSeenError::Damaged(_)
        ));
    }
    fs::write(&file, &text).unwrap();
    desk.load(&server).unwrap();
    // Not to be written: the name that it is written under first is taken.
    desk.build(&signs, 2).unwrap();
    let taken = desk.path("state").join(format!("{name}.tmp"));
    fs::create_dir(&taken).unwrap();
    let refused = remembered(desk.load(&server));
    assert!(
        matches!(refused, HighestSeenError::Io { .. }),
        "{refused:?}"
    );
    assert_eq!(fs::read(&file).unwrap(), text);
    fs::remove_dir(&taken).unwrap();
    desk.load(&server).unwrap();
    // Removed, it is begun anew; a folder that is away is not.
    fs::remove_file(&file).unwrap();
    desk.load(&server).unwrap();
    fs::remove_dir_all(desk.path("state")).unwrap();
    assert!(matches!(
        desk.server("old"),
        Err(HighestSeenError::Io { .. })
    ));
    assert!(matches!(
        remembered(desk.load(&server)),
        HighestSeenError::Io { .. }
    ));
}
