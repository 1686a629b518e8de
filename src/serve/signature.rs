//! Whether a delivery of a webhook comes from who knows the secret.
//!
//! GitLab sends the secret itself (`X-Gitlab-Token`), or signs with it in the form of Standard
//! Webhooks: HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`, several signatures parted by
//! spaces, each after its version. Either is compared in a time that tells nothing. The clock is
//! given, and what is refused says no more than that.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// How far the time of a signature may be from ours, either way. An older one may be a replay.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// Marks a signing secret that holds its key in base64.
const ENCODED: &str = "whsec_";

/// The one version of signatures that there is.
const VERSION: &str = "v1,";

/// The most signatures that are looked at: one for each secret while secrets are exchanged.
const MOST_SIGNATURES: usize = 8;

/// The secrets of the webhooks of one source.
#[derive(Debug, Clone, Default)]
pub struct HookSecrets {
    /// What `X-Gitlab-Token` must be.
    pub token: Option<SecretString>,
    /// What deliveries are signed with.
    pub signing: Option<SecretString>,
}

impl HookSecrets {
    /// True when there is nothing to check a sender by.
    pub fn is_empty(&self) -> bool {
        self.token.is_none() && self.signing.is_none()
    }

    /// False when the headers of a delivery already show that it is not accepted, whatever its body
    /// is.
    pub fn may_accept(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        match (&self.signing, text("webhook-signature")) {
            (Some(_), Some(_)) => {
                text("webhook-id").is_some()
                    && text("webhook-timestamp").is_some_and(|time| is_fresh(time, now))
            }
            (Some(_) | None, _) => self.accept(headers, &[], now),
        }
    }

    /// True when a delivery proves that its sender knows a secret. A signature that is there and
    /// wrong is not made good by a token.
    pub fn accept(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let signature = text("webhook-signature");
        match (&self.signing, signature, &self.token) {
            (Some(secret), Some(signature), _) => {
                let (id, time) = (text("webhook-id"), text("webhook-timestamp"));
                let (Some(id), Some(time)) = (id, time) else { return false };
                is_fresh(time, now) && is_signed(secret, id, time, body, signature)
            }
            (_, _, Some(secret)) => {
                text("x-gitlab-token").is_some_and(|token| is_same(secret, token))
            }
            (_, _, None) => false,
        }
    }
}

fn is_fresh(time: &str, now: Timestamp) -> bool {
    let at = time.parse().ok().and_then(|second| Timestamp::from_second(second).ok());
    at.is_some_and(|at| now.duration_since(at).abs() <= WINDOW)
}

fn is_signed(secret: &SecretString, id: &str, time: &str, body: &[u8], signatures: &str) -> bool {
    let secret = secret.expose_secret();
    let decoded = secret.strip_prefix(ENCODED).and_then(|key| STANDARD.decode(key).ok());
    let mut mac = mac(decoded.as_deref().unwrap_or(secret.as_bytes()));
    for part in [id.as_bytes(), b".", time.as_bytes(), b".", body] {
        mac.update(part);
    }
    signatures.split_ascii_whitespace().take(MOST_SIGNATURES).any(|signature| {
        let bytes = signature.strip_prefix(VERSION).and_then(|text| STANDARD.decode(text).ok());
        bytes.is_some_and(|bytes| mac.clone().verify_slice(&bytes).is_ok())
    })
}

/// Compares the digests of two texts under one key, so that no time tells how far they agree or
/// how long the secret is.
fn is_same(secret: &SecretString, given: &str) -> bool {
    let digest = |text: &str| {
        let mut mac = mac(b"X-Gitlab-Token");
        mac.update(text.as_bytes());
        mac
    };
    let given = digest(given).finalize().into_bytes();
    digest(secret.expose_secret()).verify_slice(&given).is_ok()
}

fn mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("an HMAC takes a key of any length")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    /// The example of the specification of Standard Webhooks.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let value = |text: &str| HeaderValue::from_str(text).expect("a header");
        pairs.iter().map(|(name, text)| (name.parse().expect("a name"), value(text))).collect()
    }

    fn signed(signature: &str) -> HeaderMap {
        headers(&[
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", signature),
        ])
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_signature_counts_for_five_minutes_and_for_its_body_alone() {
        let secrets = HookSecrets { signing: Some(SECRET.into()), token: None };
        let now = at(1_614_265_330);
        assert!(secrets.accept(&signed(SIGNATURE), BODY, now));
        let several = format!("v1,AAAA v2,x {SIGNATURE}");
        assert!(secrets.accept(&signed(&several), BODY, now));
        for (second, fresh) in [(300, true), (-300, true), (301, false), (-301, false)] {
            let now = at(1_614_265_330 + second);
            assert_eq!(secrets.accept(&signed(SIGNATURE), BODY, now), fresh, "{second}");
            assert_eq!(secrets.may_accept(&signed(SIGNATURE), now), fresh, "{second}");
        }
        assert!(!secrets.accept(&signed(SIGNATURE), b"{}", now));
        for forged in ["", "v1,", "v1,AAAA", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="] {
            assert!(!secrets.accept(&signed(forged), BODY, now), "{forged}");
        }
        assert!(!secrets.accept(&headers(&[("x-gitlab-token", SECRET)]), BODY, now));
    }

    #[test]
    fn a_token_counts_alone_but_never_beside_a_wrong_signature() {
        let token = Some("correct horse".into());
        let only = HookSecrets { token: token.clone(), signing: None };
        let both = HookSecrets { token, signing: Some(SECRET.into()) };
        let now = at(0);
        for (given, good) in [("correct horse", true), ("correct", false), ("", false)] {
            let headers = headers(&[("x-gitlab-token", given)]);
            assert_eq!(only.accept(&headers, BODY, now), good, "{given}");
            assert_eq!(only.may_accept(&headers, now), good, "{given}");
            assert_eq!(both.accept(&headers, BODY, now), good, "{given}");
        }
        let mut headers = signed("v1,AAAA");
        headers.insert("x-gitlab-token", HeaderValue::from_static("correct horse"));
        assert!(!both.accept(&headers, BODY, now));
        assert!(only.accept(&headers, BODY, now));
        assert!(!HookSecrets::default().accept(&headers, BODY, now));
    }
}
