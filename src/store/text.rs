//! Long texts, compressed.
//!
//! zstd at level 3 halves texts of 2 KB and costs a few microseconds each. An empty text is an
//! empty blob.

use std::io;

/// Compression level; higher ones gain little on short texts.
const LEVEL: i32 = 3;

/// The longest text that is ever expanded: GitLab's own limit is about 1 MiB, files may be 10 MiB.
const MAX_BYTES: usize = 64 << 20;

/// Compresses a text.
pub fn pack(text: &str) -> Vec<u8> {
    if text.is_empty() {
        return Vec::new();
    }
    zstd::bulk::compress(text.as_bytes(), LEVEL).expect("zstd compresses any bytes into memory")
}

/// Expands a text.
///
/// # Errors
///
/// When the bytes are not what [`pack`] made.
pub fn unpack(bytes: &[u8]) -> io::Result<String> {
    if bytes.is_empty() {
        return Ok(String::new());
    }
    let size = zstd::bulk::Decompressor::upper_bound(bytes).unwrap_or(MAX_BYTES).min(MAX_BYTES);
    let text = zstd::bulk::decompress(bytes, size)?;
    String::from_utf8(text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were() {
        for text in ["", "a", "ÄÖ\n\0", &"service: webshop\n".repeat(10_000)] {
            assert_eq!(unpack(&pack(text)).expect("packed by us"), *text);
        }
    }

    #[test]
    fn damaged_bytes_are_an_error() {
        assert!(unpack(b"not zstd").is_err());
    }
}
