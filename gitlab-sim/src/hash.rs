//! Names for commits and blobs.
//!
//! Git would take SHA-1; a simulator only needs names that look alike, change with the content and
//! are the same in every run, so the first 40 digits of a SHA-256 do.

use sha2::{Digest, Sha256};

/// Returns the SHA-256 of some bytes in hexadecimal digits.
pub(crate) fn hex64(bytes: impl AsRef<[u8]>) -> String {
    use std::fmt::Write;
    let digest = Sha256::digest(bytes.as_ref());
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

/// Returns 40 hexadecimal digits that follow from a text.
pub(crate) fn hex40(text: &str) -> String {
    let mut digits = hex64(text);
    digits.truncate(40);
    digits
}
