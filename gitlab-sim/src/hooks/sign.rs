//! Signatures in the format of Standard Webhooks, which GitLab follows.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Marks a token that holds its key in base64.
const ENCODED: &str = "whsec_";

/// Signs `<id>.<timestamp>.<body>` and returns `v1,<base64 of HMAC-SHA256>`.
pub(super) fn sign(token: &str, id: &str, timestamp: i64, body: &str) -> String {
    let decoded = token.strip_prefix(ENCODED).and_then(|key| STANDARD.decode(key).ok());
    let key = decoded.as_deref().unwrap_or(token.as_bytes());
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("an HMAC takes a key of any length");
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification.
    #[test]
    fn the_signature_is_the_one_of_the_specification() {
        let signature = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_token_without_the_mark_is_its_own_key() {
        let encoded = format!("whsec_{}", STANDARD.encode("secret"));
        assert_eq!(sign("secret", "a", 1, "{}"), sign(&encoded, "a", 1, "{}"));
    }
}
