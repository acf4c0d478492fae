use super::*;
use crate::Result;
use crate::rivals::SortedKey;

fn numbers(texts: &[&str]) -> Result<Vec<DocumentNumber>> {
    Ok(texts
        .iter()
        .map(|text| DocumentNumber::normalise(text))
        .collect::<std::result::Result<_, _>>()?)
}

/// Holds what a peer knows against what it was made of.
fn check(name: &str, known: &dyn Known, listed: &[DocumentNumber], others: &[DocumentNumber]) {
    for number in listed {
        assert!(known.contains(number), "{name} lacks {}", number.as_str());
    }
    for number in others {
        assert!(!known.contains(number), "{name} has {}", number.as_str());
    }
    assert!(known.bytes() > 0, "{name}");
}

#[test]
fn every_peer_knows_what_it_was_made_of_and_nothing_else() -> Result<()> {
    let mut listed = numbers(&["0", "00", "007", "7", "123456789", "AB12", "AB123", "Z"])?;
    listed.sort();
    let others = numbers(&["1", "000", "07", "12345678", "AB1", "AB1234", "0Z", "ZZ"])?;
    let keys: Vec<SortedKey> = listed.iter().map(|number| *number.padded()).collect();
    check("hashbrown", &Fingerprints::of(&keys), &listed, &others);
    check("fst", &Automaton::of(&keys)?, &listed, &others);
    check("sorted array", &SortedText::of(&keys)?, &listed, &others);
    // So few others, and so rarely wrong.
    check("Bloom filter", &Bloom::of(&keys, 1e-9), &listed, &others);
    let strings = Strings::of(&keys)?;
    assert!(listed.iter().all(|number| strings.contains(number)));
    assert!(!others.iter().any(|number| strings.contains(number)));
    let (digits, letters): (Vec<_>, Vec<_>) = listed
        .into_iter()
        .partition(|number| DenseDigits::takes(number.as_bytes()));
    assert_eq!((digits.len(), letters.len()), (5, 3));
    check(
        "Roaring",
        &DenseDigits::of(&keys),
        &digits,
        &[letters, others].concat(),
    );
    Ok(())
}
