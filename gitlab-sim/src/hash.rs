//! Names for commits, blobs and bodies.
//!
//! What a client may check, such as the SHA-256 of a file, is computed as it should be. Names of
//! commits and entity tags only have to look alike, change with the content and be the same in
//! every run: they come from a quick hash of our own, because a page of a hundred merge requests
//! holds two hundred of them and is itself a third of a megabyte long.

use sha2::{Digest, Sha256};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Odd numbers without a pattern: the fractional digits of square roots of primes.
const LANES: [u64; 4] =
    [0x6A09_E667_F3BC_C909, 0xBB67_AE85_84CA_A73B, 0x3C6E_F372_FE94_F82B, 0xA54F_F53A_5F1D_36F1];

/// Returns the SHA-256 of some bytes in hexadecimal digits.
pub(crate) fn hex64(bytes: impl AsRef<[u8]>) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes.as_ref()) {
        push_digits(&mut text, u64::from(byte), 2);
    }
    text
}

/// Returns 40 hexadecimal digits that follow from a text.
pub(crate) fn hex40(text: &str) -> String {
    name(lanes(text.as_bytes()))
}

/// Returns 40 hexadecimal digits that follow from numbers, without writing these out first.
pub(crate) fn hex40_of(numbers: [u64; 3]) -> String {
    let mut bytes = [0; 24];
    for (place, number) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
        *place = number.to_le_bytes();
    }
    name(lanes(&bytes))
}

fn name([a, b, c, _]: [u64; 4]) -> String {
    let mut digits = String::with_capacity(40);
    push_digits(&mut digits, a, 16);
    push_digits(&mut digits, b, 16);
    push_digits(&mut digits, c, 8);
    digits
}

/// Bodies up to this size get the digest that Rack gives them; it takes microseconds.
const SMALL_BYTES: usize = 8_192;

/// Returns 32 hexadecimal digits that follow from a body: of a small one those that GitLab's web
/// server would send, of a large one, where SHA-256 would take longer than all the rest, others.
pub(crate) fn digest32(bytes: &[u8]) -> String {
    if bytes.len() <= SMALL_BYTES {
        let mut digits = hex64(bytes);
        digits.truncate(32);
        return digits;
    }
    hex32(bytes)
}

fn hex32(bytes: &[u8]) -> String {
    let [a, b, ..] = lanes(bytes);
    let mut digits = String::with_capacity(32);
    push_digits(&mut digits, a, 16);
    push_digits(&mut digits, b, 16);
    digits
}

/// Hashes bytes in four lanes that do not wait for each other, and mixes these at the end.
fn lanes(bytes: &[u8]) -> [u64; 4] {
    let mut lanes = LANES;
    let (blocks, rest) = bytes.as_chunks::<32>();
    let mut absorb = |block: &[u8; 32]| {
        let (words, _) = block.as_chunks::<8>();
        for place in 0..4 {
            lanes[place] = (lanes[place] ^ u64::from_le_bytes(words[place]))
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .rotate_left(29);
        }
    };
    blocks.iter().for_each(&mut absorb);
    let mut last = [0; 32];
    last[..rest.len()].copy_from_slice(rest);
    absorb(&last);
    let length = bytes.len() as u64;
    let sum = lanes.iter().fold(length, |sum, lane| mixed(sum ^ *lane));
    let mut turn = 0;
    lanes.map(|lane| {
        turn += 1;
        mixed(lane ^ sum.rotate_left(turn))
    })
}

/// Spreads every bit of a number over all others.
pub(crate) fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

fn push_digits(text: &mut String, number: u64, count: usize) {
    let mut digits = [b'0'; 16];
    for (place, digit) in (0..16).rev().zip(&mut digits) {
        *digit = DIGITS[usize::from(number.to_le_bytes()[place / 2] >> (place % 2 * 4) & 15)];
    }
    text.push_str(std::str::from_utf8(&digits[16 - count..]).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn sha256_is_the_real_one() {
        assert_eq!(
            hex64("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn names_differ_wherever_a_byte_differs() {
        let long = "x".repeat(100);
        let mut names = HashSet::new();
        for place in 0..long.len() {
            let mut text = long.clone();
            text.replace_range(place..=place, "y");
            assert!(names.insert(hex40(&text)) && names.insert(hex32(text.as_bytes())));
        }
        for length in 0..long.len() {
            assert!(names.insert(hex40(&long[..length])));
            assert!(names.insert(hex32(&vec![0; length])));
        }
        let large = [0; SMALL_BYTES + 1];
        assert_eq!((hex40("").len(), digest32(b"[]").len(), digest32(&large).len()), (40, 32, 32));
    }
}
