//! The real servers, where they are installed (`benches/peers/setup`).

use super::postgres::Postgres;
use super::redis::Redis;
use crate::Result;
use crate::entries::Feed;
use std::path::Path;

/// A few thousand numbers, some with large values.
struct Numbers {
    next: u32,
    key: Vec<u8>,
    value: Vec<u8>,
}

const COUNT: u32 = 3_000;

impl Feed for Numbers {
    fn next(&mut self) -> Option<(&[u8], &[u8])> {
        if self.next == COUNT {
            return None;
        }
        (self.key, self.value) = (key(self.next).into_bytes(), value(self.next));
        self.next += 1;
        Some((&self.key, &self.value))
    }
}

fn key(index: u32) -> String {
    format!("K{index:06}")
}

fn value(index: u32) -> Vec<u8> {
    // Bytes that protocols of lines would stumble over.
    vec![index as u8; if index % 1_000 == 7 { 2_000 } else { 8 }]
}

fn numbers() -> Vec<Box<dyn Feed>> {
    vec![Box::new(Numbers {
        next: 0,
        key: Vec::new(),
        value: Vec::new(),
    })]
}

/// Loads twice, and asks.
fn check(
    clear: impl Fn() -> Result<()>,
    load: impl Fn() -> Result<()>,
    get: impl Fn(&str) -> Result<Option<Vec<u8>>>,
) -> Result<()> {
    for _ in 0..2 {
        clear()?;
        load()?;
        for index in [0, 7, 13, 256, COUNT - 1] {
            assert_eq!(get(&key(index))?, Some(value(index)), "{index}");
        }
        assert_eq!(get(&key(COUNT))?, None);
    }
    clear()?;
    Ok(())
}

/// Whether a program is there; a missing peer is told in the report, and can't be tested.
fn installed(paths: &[&str]) -> bool {
    paths.iter().any(|path| Path::new(path).exists())
}

#[test]
fn redis_gives_back_what_it_was_loaded_with() -> Result<()> {
    if !installed(&["/usr/bin/redis-server", "/usr/local/bin/redis-server"]) {
        return Ok(());
    }
    let redis = Redis::start(&std::env::temp_dir())?;
    let empty = redis.bytes()?;
    redis.load(numbers())?;
    assert!(redis.bytes()? > empty + u64::from(COUNT) * 8);
    check(
        || redis.clear(),
        || redis.load(numbers()),
        |number| redis.get(number.as_bytes()),
    )?;
    assert_eq!(redis.get(key(7).as_bytes())?, None);
    Ok(())
}

#[test]
fn postgres_gives_back_what_it_was_loaded_with() -> Result<()> {
    if !installed(&["/usr/lib/postgresql"]) {
        return Ok(());
    }
    let postgres = Postgres::start(&std::env::temp_dir())?;
    postgres.load(numbers())?;
    assert!(postgres.bytes()? > u64::from(COUNT) * 16);
    assert!(postgres.cpu()? > 0.0);
    check(
        || postgres.clear(),
        || postgres.load(numbers()),
        |number| postgres.get(number),
    )
}
