//! `mrz`, fuzzed: see `sltd_fuzz::mrz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sltd_fuzz::mrz(bytes));
