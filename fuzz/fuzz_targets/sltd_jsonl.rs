//! `sltd_jsonl`, fuzzed: see `sltd_fuzz::sltd_jsonl`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sltd_fuzz::sltd_jsonl(bytes));
