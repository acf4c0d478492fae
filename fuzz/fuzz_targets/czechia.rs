//! `czechia`, fuzzed: see `sltd_fuzz::czechia`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sltd_fuzz::czechia(bytes));
