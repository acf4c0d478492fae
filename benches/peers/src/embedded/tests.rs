use super::*;

/// A few thousand numbers of several lengths, some with large values.
struct Numbers {
    next: u32,
    key: Vec<u8>,
    value: Vec<u8>,
}

const COUNT: u32 = 5_000;

impl Feed for Numbers {
    fn next(&mut self) -> Option<(&[u8], &[u8])> {
        if self.next == COUNT {
            return None;
        }
        self.key = key(self.next).into_bytes();
        self.value = value(self.next);
        self.next += 1;
        Some((&self.key, &self.value))
    }
}

fn key(index: u32) -> String {
    // A longer number behind its own beginning.
    format!(
        "{:06}{}",
        index / 2 * 2,
        if index.is_multiple_of(2) { "" } else { "X" }
    )
}

fn value(index: u32) -> Vec<u8> {
    vec![index as u8; if index % 1_000 == 7 { 9_000 } else { 8 }]
}

#[test]
fn every_store_gives_back_what_it_was_loaded_with_and_nothing_else() -> Result<()> {
    for store in Store::value_variants() {
        if *store == Store::Rocksdb && cfg!(not(feature = "rocksdb")) {
            continue;
        }
        let folder = tempfile::tempdir()?;
        let feed = Numbers {
            next: 0,
            key: Vec::new(),
            value: Vec::new(),
        };
        store.load(folder.path(), vec![Box::new(feed)])?;
        let opened = store.open(folder.path())?;
        let number = |text: &str| DocumentNumber::normalise(text);
        let listed: Vec<_> = (0..COUNT)
            .map(|index| number(&key(index)))
            .collect::<std::result::Result<_, _>>()?;
        let mut next = 0;
        opened.ask(&listed, &mut |found| {
            assert_eq!(found, value(next), "{store:?}, {next}");
            next += 1;
            Ok(())
        })?;
        assert_eq!(next, COUNT, "{store:?}");
        let others = [
            number("000001")?,
            number("000000Y")?,
            number("9")?,
            number("00000")?,
        ];
        opened.ask(&others, &mut |_| Err("found what is not there".into()))?;
        assert!(opened.bytes()? > 5 * 9_000, "{store:?}");
    }
    Ok(())
}
