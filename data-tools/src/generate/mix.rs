//! Keyed hashing and a keyed bijection, so that any part of a list can be worked out again without keeping it.

/// The odd constant of the golden ratio: spreads consecutive counters over 64 bits.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// A hash of `value` under `key` (the finaliser of SplitMix64): integer arithmetic only, so equal on every machine.
pub(super) fn mix(key: u64, value: u64) -> u64 {
    let mut z = (key ^ value.wrapping_mul(GOLDEN)).wrapping_add(GOLDEN);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A keyed bijection of `0..len` onto itself.
///
/// A balanced Feistel network permutes the next power of four; values that fall outside `0..len` are
/// permuted again until they fall inside ("cycle walking"), which keeps it a bijection and costs less
/// than four rounds of it on average.
#[derive(Debug, Clone)]
pub(super) struct Permutation {
    len: u64,
    half_bits: u32,
    keys: [u64; 4],
}

impl Permutation {
    /// The bijection of `0..len` that `key` names. `len` is at least 1 and at most 2^62.
    pub(super) fn new(len: u64, key: u64) -> Self {
        debug_assert!((1..=1 << 62).contains(&len));
        let bits = u64::BITS - len.saturating_sub(1).leading_zeros();
        let half_bits = bits.div_ceil(2).max(1);
        let keys = [mix(key, 1), mix(key, 2), mix(key, 3), mix(key, 4)];
        Self {
            len,
            half_bits,
            keys,
        }
    }

    /// The number of values permuted.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Where `value` goes. `value` is below [`len`](Self::len), else this does not end.
    pub(super) fn forward(&self, value: u64) -> u64 {
        let mask = (1u64 << self.half_bits) - 1;
        let mut at = value;
        loop {
            let (mut left, mut right) = (at >> self.half_bits, at & mask);
            for key in self.keys {
                (left, right) = (right, left ^ (mix(key, right) & mask));
            }
            at = left << self.half_bits | right;
            if at < self.len {
                return at;
            }
        }
    }

    /// The value that [`forward`](Self::forward) sends to `value`, which is below [`len`](Self::len).
    pub(super) fn backward(&self, value: u64) -> u64 {
        let mask = (1u64 << self.half_bits) - 1;
        let mut at = value;
        loop {
            let (mut left, mut right) = (at >> self.half_bits, at & mask);
            for key in self.keys.into_iter().rev() {
                (left, right) = (right ^ (mix(key, left) & mask), left);
            }
            at = left << self.half_bits | right;
            if at < self.len {
                return at;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permutes_every_length_onto_itself() {
        for len in [1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 1000, 4096, 5000] {
            for key in [0, 1, u64::MAX] {
                let order = Permutation::new(len, key);
                let mut images: Vec<u64> = (0..len).map(|v| order.forward(v)).collect();
                for (value, image) in images.iter().enumerate() {
                    assert_eq!(
                        order.backward(*image),
                        value as u64,
                        "length {len}, key {key}"
                    );
                }
                images.sort_unstable();
                assert!(images.iter().copied().eq(0..len), "length {len}, key {key}");
            }
        }
    }

    #[test]
    fn keys_give_different_orders() {
        let (a, b) = (Permutation::new(1 << 20, 1), Permutation::new(1 << 20, 2));
        let same = (0..1000).filter(|v| a.forward(*v) == b.forward(*v)).count();
        assert!(same < 5, "{same} of 1000 values go the same way");
    }
}
