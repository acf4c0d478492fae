//! Files of keys, private and public.

use super::*;

/// A public key on a curve of another kind.
const X25519: &str = "\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VuAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";
/// The point of order one: a signature of zeros by it would fit anything.
const WEAK: &str = "\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
-----END PUBLIC KEY-----
";
#[test]
fn the_example_of_the_standard_is_read_and_written() {
    let ring = Ring::new();
    let key = SigningKey::read(&ring.write("key", PRIVATE, 0o600)).unwrap();
    key.write_new(&ring.path("new"), &ring.path("new.pub"))
        .unwrap();
    assert_eq!(fs::read_to_string(ring.path("new")).unwrap(), PRIVATE);
    assert_eq!(fs::read_to_string(ring.path("new.pub")).unwrap(), PUBLIC);
    // Stores of years ago must stay readable: what is signed, the key's name and the line are as they are.
    let signatures = Signatures::sign(MANIFEST, &[key]).unwrap();
    assert_eq!(signatures.to_string(), LINE);
    let trusted = ring.trusting(&[("new", None, None)]);
    assert_eq!(accepts(&trusted, MANIFEST, &signatures, 0), Ok(()));
}

#[test]
fn a_new_key_is_its_owners_and_overwrites_nothing() {
    let ring = Ring::new();
    let key = ring.key("a");
    let mode = |name| fs::metadata(ring.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("a"), 0o600);
    assert_eq!(SigningKey::read(&ring.path("a")).unwrap().id(), key.id());
    assert_ne!(ring.key("b").id(), key.id());
    let before = ["a", "a.pub"].map(|name| fs::read(ring.path(name)).unwrap());
    for (private, public, there) in [
        ("a", "c.pub", "a"),
        ("c", "a.pub", "a.pub"),
        ("c", "c", "c"),
    ] {
        let written = key.write_new(&ring.path(private), &ring.path(public));
        assert!(
            matches!(&written, Err(KeyError::Exists(path)) if *path == ring.path(there)),
            "{written:?}"
        );
        // Neither is left where the other could not be made.
        assert!(!ring.path("c").exists() && !ring.path("c.pub").exists());
    }
    assert_eq!(
        before,
        ["a", "a.pub"].map(|name| fs::read(ring.path(name)).unwrap())
    );
    let nowhere = key.write_new(&ring.path("no/key"), &ring.path("no/key.pub"));
    assert!(matches!(nowhere, Err(KeyError::Io { .. })), "{nowhere:?}");
}

#[test]
fn a_private_key_that_others_can_use_is_refused_behind_a_link_too() {
    let ring = Ring::new();
    for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o777] {
        let path = ring.write("key", PRIVATE, mode);
        symlink(&path, ring.path("link")).unwrap();
        for path in [&path, &ring.path("link")] {
            let refused = SigningKey::read(path).unwrap_err();
            assert!(matches!(refused, KeyError::OpenToOthers { mode: said, .. } if said == mode));
            let said = refused.to_string();
            assert!(
                said.contains(&format!("{mode:o}")) && said.contains("chmod"),
                "{said}"
            );
        }
        fs::remove_file(ring.path("link")).unwrap();
    }
    for mode in [0o600, 0o400] {
        let path = ring.write("key", PRIVATE, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(SigningKey::read(&path).is_ok());
    }
}

#[test]
fn what_is_no_key_is_refused_and_not_quoted() {
    let ring = Ring::new();
    let encrypted = PRIVATE.replace("PRIVATE", "ENCRYPTED PRIVATE");
    let bodiless = PRIVATE.replace("MC4CAQ", "");
    let no_text: &[u8] = &[0xff; 100];
    let long = PRIVATE.repeat(100);
    let cases: [&[u8]; 8] = [
        b"",
        no_text,
        PUBLIC.as_bytes(),
        encrypted.as_bytes(),
        bodiless.as_bytes(),
        &PRIVATE.as_bytes()[..PRIVATE.len() / 2],
        long.as_bytes(),
        b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
    ];
    for case in cases {
        let refused = SigningKey::read(&ring.write("key", case, 0o600)).unwrap_err();
        assert!(
            matches!(refused, KeyError::NotAPrivateKey(_)),
            "{refused:?}"
        );
        assert!(!format!("{refused} {refused:?}").contains("INTuctv5"));
    }
    for case in [
        b"",
        no_text,
        PRIVATE.as_bytes(),
        X25519.as_bytes(),
        WEAK.as_bytes(),
    ] {
        let file = ring.write("key.pub", case, 0o644);
        let refused = TrustedKeys::open([trusted(file)]).unwrap_err();
        assert!(matches!(refused, KeyError::NotAPublicKey(_)), "{refused:?}");
    }
    let folder = ring.path("folder");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(matches!(
        SigningKey::read(&folder),
        Err(KeyError::NotAFile(_))
    ));
    assert!(matches!(
        TrustedKeys::open([trusted(folder)]),
        Err(KeyError::NotAFile(_))
    ));
    let missing = SigningKey::read(&ring.path("none"))
        .unwrap_err()
        .to_string();
    assert!(missing.contains("none"), "{missing}");
}

fn trusted(file: PathBuf) -> TrustedKeyFile {
    TrustedKeyFile {
        file,
        not_before: None,
        not_after: None,
    }
}

#[test]
fn no_form_of_output_shows_a_private_key() {
    let ring = Ring::new();
    let key = SigningKey::read(&ring.write("key", PRIVATE, 0o600)).unwrap();
    assert_eq!(
        format!("{key:?}"),
        format!("SigningKey(KeyId({}))", key.id())
    );
}

#[test]
fn a_key_is_called_by_half_a_digest() {
    assert_eq!(KeyId([0xab; 16]).to_string(), "ab".repeat(16));
}
