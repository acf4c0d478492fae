//! `sltd_csv`, fuzzed: see `sltd_fuzz::sltd_csv`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sltd_fuzz::sltd_csv(bytes));
