//! Long texts, compressed.
//!
//! zstd at level 3 with a dictionary brings texts of 2 KB to less than 40 %, and costs a few
//! microseconds each. An empty text is an empty blob.
//!
//! The dictionary holds what English texts about software have in common: it was trained on this
//! project's own documentation (`zstd --train`), and saves a sixth over none. It is part of the
//! format of the index: a frame names the dictionary that it was made with, so a second one may
//! come beside it, but this one never changes. Frames of the first versions name none.
//!
//! The texts of a page travel to the database together: one blob, and where in it each stands. A
//! statement for each would cost more than the compression.

use std::io;
use std::sync::LazyLock;

use serde::Serialize;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::get_dict_id_from_frame;

/// Compression level; higher ones gain little on short texts.
const LEVEL: i32 = 3;

/// What texts have in common.
const DICTIONARY: &[u8] = include_bytes!("text.dict");

static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));

static DECODER: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

/// The longest text that is ever expanded: GitLab's own limit is about 1 MiB, files may be 10 MiB.
const MAX_BYTES: usize = 64 << 20;

/// Compresses a text.
pub fn pack(text: &str) -> Vec<u8> {
    let mut packed = Packed::new();
    packed.push(text);
    packed.bytes
}

/// Texts of a page, compressed one by one into one blob.
pub struct Packed {
    compressor: Compressor<'static>,
    bytes: Vec<u8>,
}

/// Where a text stands in the blob, as SQL's `substr` counts: from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    at: usize,
    bytes: usize,
}

impl Packed {
    /// Begins an empty blob.
    pub fn new() -> Self {
        // Made once for many texts: it holds the tables in which repetitions are found.
        let compressor = Compressor::with_prepared_dictionary(&ENCODER)
            .expect("zstd takes the dictionary that it made");
        Self { compressor, bytes: Vec::new() }
    }

    /// Compresses a text, and says where it stands.
    pub fn push(&mut self, text: &str) -> Span {
        let begin = self.bytes.len();
        if !text.is_empty() {
            let packed = self.compressor.compress(text.as_bytes());
            self.bytes.extend(packed.expect("zstd compresses any bytes into memory"));
        }
        Span { at: begin + 1, bytes: self.bytes.len() - begin }
    }

    /// Returns the blob.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
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
    let size = Decompressor::upper_bound(bytes).unwrap_or(MAX_BYTES).min(MAX_BYTES);
    let mut decompressor = match get_dict_id_from_frame(bytes) {
        Some(_) => Decompressor::with_prepared_dictionary(&DECODER)?,
        None => Decompressor::new()?,
    };
    let text = decompressor.decompress(bytes, size)?;
    String::from_utf8(text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn texts_come_back_as_they_were() {
        for text in ["", "a", "ÄÖ\n\0", &"service: webshop\n".repeat(10_000)] {
            assert_eq!(unpack(&pack(text)).expect("packed by us"), *text);
        }
    }

    #[test]
    fn each_text_of_a_page_stands_where_it_is_said() {
        let mut packed = Packed::new();
        for text in ["", "service: webshop", "", &"a".repeat(5_000), "service: webshop"] {
            let span = packed.push(text);
            let bytes = &packed.bytes()[span.at - 1..][..span.bytes];
            assert_eq!(unpack(bytes).expect("packed by us"), text);
            assert_eq!(bytes, pack(text), "alone it is the same");
        }
    }

    #[test]
    fn texts_of_the_first_versions_can_be_read() {
        for text in ["a", "service: webshop\nThe basket is empty after the sign-in."] {
            let old = zstd::bulk::compress(text.as_bytes(), LEVEL).expect("into memory");
            assert_eq!(unpack(&old).expect("packed without a dictionary"), text);
        }
    }

    #[test]
    fn the_dictionary_is_the_one_that_stored_texts_were_packed_with() {
        let digest = Sha256::digest(DICTIONARY);
        let digest = digest.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        assert_eq!(digest, "fc4562ca900d421d7aee02037725ee2b6acb1b903e97212b373d785f3979e8c1");
        let prose = "The export runs every night and writes a line for each order.".repeat(3);
        let plain = zstd::bulk::compress(prose.as_bytes(), LEVEL).expect("into memory");
        assert!(pack(&prose).len() < plain.len());
    }

    #[test]
    fn damaged_bytes_are_an_error() {
        assert!(unpack(b"not zstd").is_err());
    }
}
