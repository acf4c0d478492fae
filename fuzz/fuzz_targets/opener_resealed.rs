//! `opener_resealed`, fuzzed: see `sltd_fuzz::opener_resealed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sltd_fuzz::opener_resealed(bytes));
