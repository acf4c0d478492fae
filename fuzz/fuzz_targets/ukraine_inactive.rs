//! `ukraine_inactive`, fuzzed: see `sltd_fuzz::ukraine_inactive`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sltd_fuzz::ukraine_inactive(bytes));
