//! `opener`, fuzzed: see `sltd_fuzz::opener`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sltd_fuzz::opener(bytes));
