//! `number`, fuzzed: see `sltd_fuzz::number`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sltd_fuzz::number(bytes));
