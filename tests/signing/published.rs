//! What is published, and what is not.

use super::*;

#[test]
fn nothing_is_published_over_what_is_not_trusted() {
    let desk = Desk::new();
    desk.build(&Terms::default(), 1).unwrap();
    let before = desk.current();
    let signs = desk.signing(desk.trusts("old"), &["old"]);
    for published in [desk.build(&signs, 2), desk.delta(&signs, 2)] {
        assert!(
            matches!(published, Err(PublishError::Untrusted(_))),
            "{published:?}"
        );
    }
    let writer = Store::writer(desk.path("store")).unwrap().with_terms(signs);
    let checked = writer.check(Timestamp::UNIX_EPOCH);
    assert!(
        matches!(checked, Err(PublishError::Untrusted(_))),
        "{checked:?}"
    );
    assert_eq!(desk.current(), before);
}

#[test]
fn nothing_is_published_that_would_not_be_trusted() {
    let desk = Desk::new();
    desk.build(&desk.signing(Terms::default(), &["old"]), 1)
        .unwrap();
    let before = (desk.current(), files(&desk.path("store/manifests")));
    let only_in_the_past = desk.trusting(Terms::default(), &[("old", (None, Some(1)))]);
    for (terms, expected) in [
        (desk.trusts("old").unsigned(true), "not signed"),
        (desk.signing(desk.trusts("old"), &["new"]), "not trusted"),
        (desk.signing(only_in_the_past, &["old"]), "until 1970"),
    ] {
        let writer = Store::writer(desk.path("store")).unwrap();
        let writer = writer.with_terms(terms.clone());
        let checked = writer.check(Timestamp::from_second(2).unwrap());
        drop(writer);
        let refused = [
            checked.unwrap_err(),
            desk.build(&terms, 2).unwrap_err(),
            desk.delta(&terms, 2).unwrap_err(),
        ];
        for refused in refused {
            assert!(matches!(refused, PublishError::Signature(_)), "{refused:?}");
            assert!(refused.to_string().contains(expected), "{refused}");
        }
        assert_eq!(
            (desk.current(), files(&desk.path("store/manifests"))),
            before
        );
    }
}

#[test]
fn signatures_are_kept_and_go_with_their_manifest() {
    let desk = Desk::new();
    let signs = desk.signing(Terms::default(), &["old", "new"]);
    // What a killed publish has left, of a generation that is then published without a key.
    desk.build(&signs, 1).unwrap();
    fs::copy(desk.manifest(1, ".sig"), desk.manifest(2, ".sig")).unwrap();
    fs::write(desk.manifest(2, ".sig.tmp"), "half").unwrap();
    desk.build(&Terms::default().unsigned(true), 2).unwrap();
    assert_eq!(
        files(&desk.path("store/manifests")),
        ["00000001.json", "00000001.json.sig", "00000002.json"]
    );
    for second in 3..12 {
        desk.build(&signs, second).unwrap();
    }
    let names = files(&desk.path("store/manifests"));
    let (signatures, manifests): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| name.ends_with(".sig"));
    assert!(!manifests.contains(&"00000002.json".to_owned()));
    let of = manifests.iter().map(|name| format!("{name}.sig"));
    assert_eq!(signatures, of.collect::<Vec<_>>());
}

#[test]
fn a_promise_counts_from_the_build_and_a_delta_leaves_it() {
    let desk = Desk::new();
    let hour = |hours: u64| Terms::default().valid_for(Some(Duration::from_secs(hours * 3600)));
    let not_after = |manifest: Manifest| manifest.not_after.map(Timestamp::as_second);
    let none = Terms::default();
    assert_eq!(not_after(desk.build(&none, 1).unwrap()), None);
    assert_eq!(not_after(desk.delta(&hour(1), 2).unwrap()), Some(3602));
    assert_eq!(not_after(desk.delta(&none, 3).unwrap()), Some(3602));
    assert_eq!(not_after(desk.delta(&hour(2), 4).unwrap()), Some(7204));
    assert_eq!(not_after(desk.build(&none, 5).unwrap()), None);
    assert_eq!(not_after(desk.build(&hour(1), 6).unwrap()), Some(3606));
    assert_eq!(
        desk.load(&none)
            .unwrap()
            .manifest()
            .not_after
            .unwrap()
            .as_second(),
        3606
    );
}

/// They are written before the pointer is: what nobody can check is never current.
#[test]
fn signatures_that_can_not_be_written_leave_the_old_snapshot() {
    let desk = Desk::new();
    let signs = desk.signing(desk.trusts("old"), &["old"]);
    desk.build(&signs, 1).unwrap();
    let before = desk.current();
    // The name that they are written under first is taken.
    let taken = desk.manifest(2, ".sig.tmp");
    fs::create_dir(&taken).unwrap();
    for published in [desk.build(&signs, 2), desk.delta(&signs, 2)] {
        assert!(
            matches!(&published, Err(PublishError::Io { path, .. }) if *path == desk.manifest(2, ".sig")),
            "{published:?}"
        );
        assert_eq!(desk.current(), before);
    }
    fs::remove_dir(&taken).unwrap();
    desk.build(&signs, 2).unwrap();
    assert_eq!(desk.load(&desk.trusts("old")).unwrap().generation(), 2);
}
