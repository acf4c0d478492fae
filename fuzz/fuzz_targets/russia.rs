//! `russia`, fuzzed: see `sltd_fuzz::russia`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sltd_fuzz::russia(bytes));
