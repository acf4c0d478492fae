//! What is read, where keys are trusted.

use super::*;

/// Why a snapshot is not trusted.
#[track_caller]
fn distrust(loaded: Result<Snapshot, LoadError>) -> SignatureError {
    match loaded {
        Err(LoadError::Signature { source, .. }) => *source,
        other => panic!("expected a signature to be refused: {other:?}"),
    }
}

#[test]
fn nobody_has_to_sign_for_those_who_trust_no_key_in_particular() {
    let desk = Desk::new();
    let none = Terms::default();
    desk.build(&none, 1).unwrap();
    assert!(!desk.manifest(1, ".sig").exists());
    assert_eq!(desk.load(&none).unwrap().generation(), 1);
    desk.build(&desk.signing(none.clone(), &["old"]), 2)
        .unwrap();
    fs::write(desk.manifest(2, ".sig"), "rubbish").unwrap();
    assert_eq!(desk.load(&none).unwrap().generation(), 2);
}

#[test]
fn what_is_not_signed_by_a_trusted_key_is_not_read() {
    let desk = Desk::new();
    let trusts = desk.trusts("old");
    desk.build(&Terms::default(), 1).unwrap();
    assert_eq!(distrust(desk.load(&trusts)), SignatureError::Unsigned);
    let manifest = desk
        .build(&desk.signing(Terms::default(), &["old"]), 2)
        .unwrap();
    assert_eq!(*desk.load(&trusts).unwrap().manifest(), manifest);
    let unknown = distrust(desk.load(&desk.trusts("new")));
    assert!(
        matches!(&unknown, SignatureError::UnknownKey { keys } if keys.len() == 1),
        "{unknown:?}"
    );
    for (window, valid) in [
        ((Some(2), Some(3)), true),
        ((Some(3), None), false),
        ((None, Some(1)), false),
    ] {
        match desk.load(&desk.trusting(Terms::default(), &[("old", window)])) {
            Ok(_) => assert!(valid, "{window:?}"),
            refused => {
                let refused = distrust(refused);
                assert!(
                    matches!(refused, SignatureError::OutsideValidity { .. }),
                    "{refused:?}"
                );
                assert!(!valid, "{window:?}");
            }
        }
    }
    let signatures = fs::read(desk.manifest(2, ".sig")).unwrap();
    // Those of another manifest.
    desk.build(&desk.signing(Terms::default(), &["old"]), 3)
        .unwrap();
    fs::write(desk.manifest(3, ".sig"), &signatures).unwrap();
    assert!(matches!(
        distrust(desk.load(&trusts)),
        SignatureError::Wrong { .. }
    ));
    for rubbish in [
        &b""[..],
        b"rubbish\n",
        &signatures[1..],
        &signatures.repeat(100),
    ] {
        fs::write(desk.manifest(3, ".sig"), rubbish).unwrap();
        assert!(matches!(
            distrust(desk.load(&trusts)),
            SignatureError::Malformed { .. }
        ));
    }
}

/// A manifest changed by one who can also write its new digest into the pointer.
#[test]
fn a_changed_manifest_is_not_read_whatever_the_pointer_says() {
    let desk = Desk::new();
    let trusts = desk.trusts("old");
    desk.build(&desk.signing(Terms::default(), &["old"]), 1)
        .unwrap();
    let text = fs::read_to_string(desk.manifest(1, "")).unwrap();
    for (from, to) in [("\"generation\": 1", "\"generation\": 9"), ("\n", " \n")] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        fs::write(desk.manifest(1, ""), &changed).unwrap();
        let pointer = format!(
            "00000001.json {}\n",
            blake3::hash(changed.as_bytes()).to_hex()
        );
        fs::write(desk.path("store/CURRENT"), pointer).unwrap();
        assert!(desk.load(&Terms::default()).is_ok());
        assert!(matches!(
            distrust(desk.load(&trusts)),
            SignatureError::Wrong { .. }
        ));
    }
}

/// Old key, both, new key: whoever trusts one, and then both, never misses a snapshot.
#[test]
fn keys_change_without_a_gap() {
    let desk = Desk::new();
    let [trusts_old, trusts_new] = ["old", "new"].map(|key| desk.trusts(key));
    let trusts_both = desk.trusting(Terms::default(), &[("old", ALWAYS), ("new", ALWAYS)]);
    for (second, keys, old, new) in [
        (1, &["old"][..], true, false),
        (2, &["old", "new"], true, true),
        (3, &["new"], false, true),
    ] {
        let signs = desk.signing(trusts_both.clone(), keys);
        match second {
            1 => desk.build(&signs, second).unwrap(),
            _ => desk.delta(&signs, second).unwrap(),
        };
        let sees = [&trusts_old, &trusts_both, &trusts_new].map(|terms| desk.load(terms).is_ok());
        assert_eq!(sees, [old, true, new], "{keys:?}");
    }
}

/// A snapshot vouches for what was published before it.
#[test]
fn snapshots_before_the_current_one_need_no_signature() {
    let desk = Desk::new();
    desk.build(&Terms::default(), 1).unwrap();
    desk.build(&desk.signing(Terms::default(), &["old"]), 2)
        .unwrap();
    let signs = desk.signing(desk.trusts("old"), &["old"]);
    desk.delta(&signs, 3).unwrap();
    fs::remove_file(desk.manifest(2, ".sig")).unwrap();
    desk.build(&signs, 4).unwrap();
    let store = desk.store(&signs);
    assert_eq!(store.chain(&store.pointer().unwrap()).unwrap().len(), 4);
}
