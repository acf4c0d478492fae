//! `ukraine`, fuzzed: see `sltd_fuzz::ukraine`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sltd_fuzz::ukraine(bytes));
