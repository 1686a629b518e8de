//! `[[api_keys]]`: who may ask, and what.
//!
//! Only the SHA-256 of a key is configured, so the file can be shown and kept in a repository.
//! A plain hash is enough because a key is 32 random bytes, which nobody can guess one by one; a
//! slow hash would only cost every request. It refuses to hold or show a key itself.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::problem::find_choice;
use super::section::Section;
use super::show::{Toml, quote};

/// What every key begins with, so that secret scanners and people know it.
const PREFIX: &str = "xrefd_";

/// The SHA-256 of an API key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Hashes a key.
    fn of(secret: &SecretString) -> Self {
        Self(Sha256::digest(secret.expose_secret().as_bytes()).into())
    }

    /// Reads 64 hexadecimal digits.
    fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with(PREFIX) {
            return Err("holds a key itself; put its hash here, which `xrefd key new NAME` \
                        prints, and make a new key, because this one has been written down"
                .to_owned());
        }
        let digits = text.as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 64 {
            return Err(format!(
                "must be 64 hexadecimal digits, as `xrefd key new NAME` prints; it has {} \
                 characters",
                text.chars().count()
            ));
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let value = |digit: u8| char::from(digit).to_digit(16);
            let (Some(high), Some(low)) = (value(pair[0]), value(pair[1])) else {
                return Err("must be 64 hexadecimal digits (0-9, a-f)".to_owned());
            };
            *byte = u8::try_from(high * 16 + low).expect("two hexadecimal digits make one byte");
        }
        Ok(Self(bytes))
    }

    /// Compares in a time that does not depend on where the difference is.
    fn is(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
    }

    /// Returns the 64 digits, for the line that goes into the configuration.
    fn to_hex(self) -> String {
        let digit = |value: u8| char::from_digit(u32::from(value), 16).expect("half a byte");
        self.0.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }

    /// Returns the first digits: enough to tell keys apart.
    pub fn short(&self) -> String {
        format!("{}…", &self.to_hex()[..8])
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

impl Serialize for KeyHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.short())
    }
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Ask for everything that is not confidential.
    Read,
    /// See confidential issues and internal comments too.
    Confidential,
    /// Start a sync.
    Sync,
}

impl Scope {
    const CHOICES: [(&'static str, Self); 3] =
        [("read", Self::Read), ("confidential", Self::Confidential), ("sync", Self::Sync)];

    /// Returns the word used in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Confidential => "confidential",
            Self::Sync => "sync",
        }
    }
}

/// One entry of `[[api_keys]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiKey {
    /// What the key is called in logs.
    pub name: String,
    /// The hash of the key.
    pub sha256: KeyHash,
    /// What it may do; never empty.
    pub scopes: Vec<Scope>,
    /// The groups it is limited to; `None` is no limit. Never an empty list.
    pub groups: Option<Vec<String>>,
}

impl ApiKey {
    /// True when the key has this scope.
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    fn read(section: &mut Section<'_>) -> Option<Self> {
        let name = section.parse_required("name", "name the key, as in \"tooljump\"", |name| {
            if name.trim().is_empty() {
                return Err("may not be empty".to_owned());
            }
            Ok(name.trim().to_owned())
        });
        let sha256 = section.parse_required(
            "sha256",
            "make a key with `xrefd key new NAME` and copy what it prints",
            KeyHash::parse,
        );
        let empty = "names no scope, so the key could do nothing; write [\"read\"]";
        let mut scopes = section
            .parse_some("scopes", empty, |word| find_choice(word, &Scope::CHOICES))
            .unwrap_or_else(|| vec![Scope::Read]);
        scopes.sort();
        scopes.dedup();
        let empty = "names no group, so the key would see nothing; leave it out for no limit";
        let groups = section.parse_some("groups", empty, super::source::parse_path);
        Some(Self { name: name?, sha256: sha256?, scopes, groups })
    }
}

/// All API keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ApiKeys(Vec<ApiKey>);

impl ApiKeys {
    /// Finds the entry of a key. Every entry is compared, whether one before it matched or not,
    /// so that the time tells nothing.
    pub fn find(&self, secret: &SecretString) -> Option<&ApiKey> {
        let hash = KeyHash::of(secret);
        let mut found = None;
        for key in &self.0 {
            if key.sha256.is(&hash) {
                found = Some(key);
            }
        }
        found
    }

    /// True when there is no key, so that only this machine may ask.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the entries in the order of the configuration.
    pub fn iter(&self) -> std::slice::Iter<'_, ApiKey> {
        self.0.iter()
    }

    pub(super) fn read(root: &mut Section<'_>) -> Self {
        let mut keys: Vec<ApiKey> = Vec::new();
        for mut section in root.sections("api_keys") {
            let place = section.place_of("name");
            if let Some(key) = ApiKey::read(&mut section) {
                if keys.iter().any(|other| other.name == key.name) {
                    section.report("name", place, "is taken by an entry above");
                } else if keys.iter().any(|other| other.sha256 == key.sha256) {
                    section.report("sha256", place, "stands at an entry above already");
                }
                keys.push(key);
            }
            section.finish();
        }
        Self(keys)
    }

    pub(super) fn show(&self, toml: &mut Toml) {
        for key in &self.0 {
            toml.header("[[api_keys]]");
            toml.text("name", &key.name);
            toml.text("sha256", &key.sha256.short());
            let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
            toml.texts("scopes", &scopes);
            if let Some(groups) = &key.groups {
                toml.texts("groups", groups);
            }
        }
    }
}

impl<'a> IntoIterator for &'a ApiKeys {
    type Item = &'a ApiKey;
    type IntoIter = std::slice::Iter<'a, ApiKey>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A key just made: shown once, then only its hash is kept.
#[derive(Debug)]
pub struct NewKey {
    /// The key itself, for whoever will use it.
    pub secret: SecretString,
    hash: KeyHash,
}

impl NewKey {
    /// Makes a key of 32 random bytes.
    pub fn generate() -> Self {
        let bytes: [u8; 32] = rand::random();
        let secret = SecretString::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)));
        let hash = KeyHash::of(&secret);
        Self { secret, hash }
    }

    /// Returns the hash in 64 hexadecimal digits.
    pub fn sha256(&self) -> String {
        self.hash.to_hex()
    }

    /// Returns the section that goes into the configuration.
    pub fn to_toml(&self, name: &str) -> String {
        format!(
            "[[api_keys]]\nname = {}\nsha256 = {}\nscopes = [\"read\"]\n",
            quote(name),
            quote(&self.sha256())
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_long_random_and_found_by_its_hash_alone() {
        let (one, two) = (NewKey::generate(), NewKey::generate());
        let secret = one.secret.expose_secret();
        assert!(secret.starts_with("xrefd_") && secret.len() == 49, "{}", secret.len());
        assert_ne!(secret, two.secret.expose_secret());
        let key = ApiKey {
            name: "tooljump".to_owned(),
            sha256: KeyHash::parse(&one.sha256()).unwrap(),
            scopes: vec![Scope::Read],
            groups: None,
        };
        let keys = ApiKeys(vec![key]);
        assert_eq!(keys.find(&one.secret).map(|key| key.name.as_str()), Some("tooljump"));
        assert_eq!(keys.find(&two.secret), None);
        assert_eq!(keys.find(&SecretString::from("")), None);
    }

    #[test]
    fn a_hash_is_64_hexadecimal_digits() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert!(KeyHash::parse(abc).unwrap().is(&KeyHash::of(&SecretString::from("abc"))));
        assert_eq!(KeyHash::parse(&abc.to_uppercase()), KeyHash::parse(abc));
        for wrong in ["", &abc[1..], &format!("{abc}0"), &abc.replace('b', "g"), &"é".repeat(32)] {
            assert!(KeyHash::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_in_the_place_of_its_hash_is_refused_and_not_repeated() {
        let new = NewKey::generate();
        let error = KeyHash::parse(new.secret.expose_secret()).unwrap_err();
        assert!(error.contains("xrefd key new"), "{error}");
        assert!(!error.contains(new.secret.expose_secret()), "{error}");
    }

    #[test]
    fn neither_key_nor_whole_hash_is_ever_printed() {
        let new = NewKey::generate();
        let shown = format!("{new:?}");
        assert!(!shown.contains(new.secret.expose_secret()), "{shown}");
        assert!(!shown.contains(&new.sha256()), "{shown}");
    }
}
