//! Opaque cursors: where a page begins, bound to the question that it answers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Problem;
use crate::lookup::Cursor;

/// Raised when cursors change their meaning; older ones are then refused.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Sealed {
    v: u8,
    /// Digest of the question, so that a cursor is not used with another.
    q: String,
    c: Cursor,
}

/// Writes a cursor for the page after this one.
pub fn seal(cursor: Cursor, question: &str) -> String {
    let sealed = Sealed { v: VERSION, q: digest(question), c: cursor };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&sealed).expect("numbers and strings serialise"))
}

/// Reads a cursor that [`seal`] wrote for the same question.
pub fn open(text: &str, question: &str) -> Result<Cursor, Problem> {
    let refused = || {
        Problem::bad_parameter("`cursor` is not one that this question gave: ask again without it")
    };
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
    let sealed: Sealed = serde_json::from_slice(&bytes).map_err(|_| refused())?;
    if sealed.v != VERSION || sealed.q != digest(question) {
        return Err(refused());
    }
    Ok(sealed.c)
}

fn digest(question: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(question.as_bytes())[..6])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_for_its_own_question_only() {
        let sealed = seal(Cursor::At(5, 7), "services/a?state=opened");
        assert_eq!(open(&sealed, "services/a?state=opened"), Ok(Cursor::At(5, 7)));
        assert!(open(&sealed, "services/b?state=opened").is_err());
        for hostile in ["", "x", "AAAA", "💥", &"A".repeat(10_000)] {
            assert!(open(hostile, "services/a?state=opened").is_err(), "{hostile}");
        }
    }
}
