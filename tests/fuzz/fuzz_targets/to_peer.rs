//! See `p2pchat_fuzz_cases::to_peer`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| p2pchat_fuzz_cases::to_peer(data));
