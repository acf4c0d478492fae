//! Whose signature is accepted, and of what.

use super::*;

#[test]
fn a_list_of_trusted_keys_is_read_from_its_own_folder() {
    let ring = Ring::new();
    ring.key("a");
    let list = |text: &str| TrustedKeys::read(&ring.write("trusted.toml", text, 0o644));
    let whole = "\
[[trusted_key]]
file = \"a.pub\"
not_before = \"2026-01-01T00:00:00Z\"
not_after = \"2027-01-01T00:00:00Z\"
";
    assert!(list(whole).is_ok());
    assert!(list(&whole.repeat(2)).is_ok());
    let cases = [
        ("", "missing field `trusted_key`"),
        ("trusted_key = []", "found none"),
        (
            "[[trusted_keys]]\nfile = \"a.pub\"",
            "unknown field `trusted_keys`",
        ),
        ("[[trusted_key]]\npath = \"a.pub\"", "unknown field `path`"),
        (
            "[[trusted_key]]\nnot_before = \"2026-01-01T00:00:00Z\"",
            "missing field `file`",
        ),
        ("[[trusted_key]]\nfile = \"b.pub\"", "b.pub"),
        ("[[trusted_key", "trusted.toml"),
    ];
    for (text, part) in cases {
        let said = list(text).unwrap_err().to_string();
        assert!(said.contains(part), "{text}: {said}");
    }
    let never = whole.replace("2027", "2026");
    assert!(matches!(list(&never), Err(KeyError::NeverValid(_))));
    assert!(matches!(
        TrustedKeys::read(Path::new("nowhere")),
        Err(KeyError::Io { .. })
    ));
}

#[test]
fn one_valid_signature_by_a_trusted_key_is_enough_and_none_is_too_few() {
    let ring = Ring::new();
    let [old, new, other] = ["old", "new", "other"].map(|name| ring.key(name));
    let ids = [&old, &new, &other].map(SigningKey::id);
    let both = Signatures::sign(MANIFEST, &[old, new]).unwrap();
    let others = Signatures::sign(MANIFEST, &[other]).unwrap();
    let trusts_old = ring.trusting(&[("old", None, None)]);
    let trusts_new = ring.trusting(&[("new", None, None)]);
    let trusts_all = ring.trusting(&[("old", None, None), ("new", None, None)]);
    for trusted in [&trusts_old, &trusts_new, &trusts_all] {
        assert_eq!(accepts(trusted, MANIFEST, &both, 0), Ok(()));
        let unknown = SignatureError::UnknownKey { keys: vec![ids[2]] };
        assert_eq!(accepts(trusted, MANIFEST, &others, 0), Err(unknown));
    }
    // A broken one spoils nothing.
    let mut text = both.to_string().into_bytes();
    text[40] = if text[40] == b'0' { b'1' } else { b'0' };
    let broken = Signatures::parse(&text).unwrap();
    assert_eq!(accepts(&trusts_all, MANIFEST, &broken, 0), Ok(()));
    let wrong = SignatureError::Wrong { key: ids[0] };
    assert_eq!(accepts(&trusts_old, MANIFEST, &broken, 0), Err(wrong));
}

#[test]
fn validity_counts_against_the_time_of_publishing() {
    let ring = Ring::new();
    let key = ring.key("a");
    let id = key.id();
    let signatures = Signatures::sign(MANIFEST, &[key]).unwrap();
    let outside = |published_at, not_before: Option<i64>, not_after: Option<i64>| {
        Err(SignatureError::OutsideValidity {
            key: id,
            published_at: at(published_at),
            not_before: not_before.map(at),
            not_after: not_after.map(at),
        })
    };
    for (from, until, published_at, valid) in [
        (Some(10), Some(20), 9, false),
        (Some(10), Some(20), 10, true),
        (Some(10), Some(20), 20, true),
        (Some(10), Some(20), 21, false),
        (Some(10), None, 9, false),
        (Some(10), None, i64::from(u32::MAX), true),
        (None, Some(20), 21, false),
        (None, Some(20), -1, true),
    ] {
        let trusted = ring.trusting(&[("a", from, until)]);
        let expected = if valid {
            Ok(())
        } else {
            outside(published_at, from, until)
        };
        assert_eq!(
            accepts(&trusted, MANIFEST, &signatures, published_at),
            expected
        );
    }
    // Listed twice, it is trusted twice.
    let trusted = ring.trusting(&[("a", Some(10), Some(20)), ("a", Some(30), Some(40))]);
    let valid = [15, 25, 35]
        .map(|published_at| accepts(&trusted, MANIFEST, &signatures, published_at).is_ok());
    assert_eq!(valid, [true, false, true]);
}

#[test]
fn a_signature_is_of_these_bytes_and_as_a_manifest() {
    let ring = Ring::new();
    let key = ring.key("a");
    let id = key.id();
    let trusted = ring.trusting(&[("a", None, None)]);
    // Of the bytes alone, as another program might sign them with the same key.
    let bare: String = key
        .sign(MANIFEST)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let bare = Signatures::parse(format!("{id} {bare}\n").as_bytes()).unwrap();
    let signatures = Signatures::sign(MANIFEST, &[key]).unwrap();
    let wrong = Err(SignatureError::Wrong { key: id });
    assert_eq!(accepts(&trusted, MANIFEST, &bare, 0), wrong);
    for bit in 0..MANIFEST.len() * 8 {
        let mut changed = MANIFEST.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(accepts(&trusted, &changed, &signatures, 0), wrong, "{bit}");
    }
    assert_eq!(
        accepts(&trusted, &[MANIFEST, b"\n"].concat(), &signatures, 0),
        wrong
    );
    // Every digit of key and signature counts.
    let text = signatures.to_string();
    for (place, digit) in text.bytes().enumerate() {
        let mut changed = text.clone().into_bytes();
        changed[place] = if digit == b'0' { b'1' } else { b'0' };
        let refused =
            Signatures::parse(&changed).and_then(|read| accepts(&trusted, MANIFEST, &read, 0));
        let expected = match place {
            ..32 => matches!(refused, Err(SignatureError::UnknownKey { .. })),
            32 | 161 => refused == Err(SignatureError::Malformed { line: 1 }),
            _ => refused == wrong,
        };
        assert!(expected, "{place}: {refused:?}");
    }
}
