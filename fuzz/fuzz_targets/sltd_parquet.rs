//! `sltd_parquet`, fuzzed: see `sltd_fuzz::sltd_parquet`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sltd_fuzz::sltd_parquet(bytes));
