//! Addresses in a text: where one ends, and what its parts are.

use std::sync::LazyLock;

use regex::{Regex, bytes};

use super::id::percent_decoded;

static SCHEME: LazyLock<bytes::Regex> =
    LazyLock::new(|| bytes::Regex::new("https?://").expect("the pattern is fixed and tested"));

/// Services that wrap the address of another page into their own.
static WRAPPER: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = concat!(
        r"^https?://(?:[a-z0-9.]+\.safelinks\.protection\.outlook\.com/\?url=|",
        r"(?:www\.)?google\.com/url\?(?:[^#\s]*&)?q=|slack-redir\.net/link\?url=)",
        r"(https?%3[aA]%2[fF]%2[fF][^&\s]+)",
    );
    Regex::new(pattern).expect("the pattern is fixed and tested")
});

/// Punctuation that belongs to the sentence around an address.
const TRAILING: &str = ".,:;!?'*_~…»”’";

/// Finds the next address at or behind an offset of a text that may be blanked in parts. Returns
/// where it starts and ends.
pub(super) fn find(buffer: &[u8], text: &str, from: usize) -> Option<(usize, usize)> {
    let mut from = from;
    loop {
        let scheme = SCHEME.find_at(buffer, from)?;
        let length = length(text.get(scheme.start()..)?);
        if length > scheme.len() {
            return Some((scheme.start(), scheme.start() + length));
        }
        // Nothing but punctuation behind the scheme.
        from = scheme.end();
    }
}

/// Returns how much of a text that starts with an address is the address. It looks no further than
/// there, because a text may hold many.
fn length(text: &str) -> usize {
    let mut open = Vec::new();
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        let ends = match c {
            '<' | '>' | '"' | '`' | '|' | '\\' | '^' | '{' | '}' => true,
            c if c.is_whitespace() => true,
            '(' | '[' => {
                open.push(c);
                false
            }
            ')' => open.pop() != Some('('),
            ']' => open.pop() != Some('['),
            // Lists without spaces: `https://a,https://b`.
            ',' | ';' => ["http://", "https://"].iter().any(|s| text[at + 1..].starts_with(s)),
            // The punctuation of languages that write without spaces.
            '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff1f}' => true,
            _ => false,
        };
        if ends {
            end = at;
            break;
        }
    }
    let mut address = &text[..end];
    loop {
        let trimmed = address.trim_end_matches(|c| TRAILING.contains(c));
        // A bracket left open by the cut belongs to the sentence, too.
        let trimmed = trimmed.strip_suffix(['(', '[']).unwrap_or(trimmed);
        if trimmed.len() == address.len() {
            return address.len();
        }
        address = trimmed;
    }
}

/// An address, split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address<'a> {
    /// The host, lower-cased, without user and port.
    pub(super) host: String,
    /// The port, given or usual.
    pub(super) port: Option<u16>,
    /// Everything behind host and port: path, query, fragment.
    pub(super) rest: &'a str,
}

impl<'a> Address<'a> {
    /// Splits an address. `None` when it has no host.
    pub(super) fn parse(address: &'a str) -> Option<Self> {
        let (scheme, behind) = address.split_once("://")?;
        let end = behind.find(['/', '?', '#']).unwrap_or(behind.len());
        let (authority, rest) = behind.split_at(end);
        let (host, port) = split_port(authority.rsplit_once('@').map_or(authority, |(_, h)| h));
        let host = host.trim_end_matches('.').to_lowercase();
        let usual = match scheme {
            "https" => Some(443),
            "http" => Some(80),
            _ => None,
        };
        (!host.is_empty()).then_some(Self { host, port: port.or(usual), rest })
    }

    /// Returns the path without query, fragment and trailing slash.
    pub(super) fn path(&self) -> &'a str {
        let end = self.rest.find(['?', '#']).unwrap_or(self.rest.len());
        self.rest[..end].trim_end_matches('/')
    }
}

/// Splits `host:port`. What is no port stays with the host.
pub(super) fn split_port(authority: &str) -> (&str, Option<u16>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) if port.is_empty() => (host, None),
            Err(_) => (authority, None),
        },
        _ => (authority, None),
    }
}

/// Returns the address that a wrapper holds. Opened once: a wrapper within is left alone.
pub(super) fn unwrapped(address: &str) -> Option<String> {
    let (scheme, behind) = address.split_once("://")?;
    let end = behind.find('/')?;
    let lowered = format!("{scheme}://{}{}", behind[..end].to_lowercase(), &behind[end..]);
    let inner = percent_decoded(WRAPPER.captures(&lowered)?.get(1)?.as_str())?;
    let (start, end) = find(inner.as_bytes(), &inner, 0)?;
    (start == 0).then(|| inner[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut addresses = Vec::new();
        let mut from = 0;
        while let Some((start, end)) = find(text.as_bytes(), text, from) {
            addresses.push(&text[start..end]);
            from = end;
        }
        addresses
    }

    #[test]
    fn address_ends_where_the_sentence_goes_on() {
        let cases: [(&str, &[&str]); 17] = [
            ("see https://a.b/c.", &["https://a.b/c"]),
            ("(https://a.b/c)", &["https://a.b/c"]),
            ("https://a.b/c_(d)", &["https://a.b/c_(d)"]),
            ("(https://a.b/c_(d))", &["https://a.b/c_(d)"]),
            ("[x](https://a.b/c)[y](https://a.b/d)", &["https://a.b/c", "https://a.b/d"]),
            ("[https://a.b/c](https://a.b/c)", &["https://a.b/c", "https://a.b/c"]),
            ("https://a.b/c?d[e]=f", &["https://a.b/c?d[e]=f"]),
            ("**https://a.b/c**", &["https://a.b/c"]),
            ("<https://a.b/c|text>", &["https://a.b/c"]),
            ("https://a.b/c…", &["https://a.b/c"]),
            ("https://a.b/c，已修复", &["https://a.b/c"]),
            ("https://a.b/1,https://a.b/2", &["https://a.b/1", "https://a.b/2"]),
            ("https://a.b/c?d=1,2", &["https://a.b/c?d=1,2"]),
            ("https:// and http://.", &[]),
            ("HTTPS://a.b/c ftp://a.b/c", &[]),
            ("https://a.b/c](", &["https://a.b/c"]),
            ("https://a.b/c(", &["https://a.b/c"]),
        ];
        for (text, expected) in cases {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn address_is_split_into_host_port_and_rest() {
        let cases = [
            ("https://A.B/c?d#e", "a.b", Some(443), "/c?d#e"),
            ("http://u:p@a.b:8080?x", "a.b", Some(8080), "?x"),
            ("https://[::1]:8443/x", "[::1]", Some(8443), "/x"),
            ("https://[::1]/x", "[::1]", Some(443), "/x"),
            ("https://a.b.", "a.b", Some(443), ""),
            ("https://a.b:/x", "a.b", Some(443), "/x"),
        ];
        for (address, host, port, rest) in cases {
            let expected = Address { host: host.to_owned(), port, rest };
            assert_eq!(Address::parse(address), Some(expected), "{address}");
        }
        assert_eq!(Address::parse("https:///x"), None);
    }
}
