//! `sltd_parquet`, fuzzed: see `sltd_fuzz::sltd_parquet`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        // libFuzzer's hook would end the process at panics of the decoder that the reader of the
        // layout turns into errors. A panic that gets past it still ends the process.
        let _ = std::panic::take_hook();
    },
    |bytes: &[u8]| sltd_fuzz::sltd_parquet(bytes)
);
