//! How a canonical id is built from what a pattern captured.
//!
//! An id is described by a short template, `{1}#{2}`, so that the catalogue is data. The marks
//! behind the number of a capture are listed at [`Form`]. A template refuses to guess: where a
//! capture or the project of the text is missing, there is no id.

use std::collections::BTreeMap;

/// The largest number GitLab accepts in a reference.
const GITLAB_NUMBER_MAX: u64 = 2_147_483_647;

/// Kinds of Kubernetes objects that may be written short, with their full names.
const KUBERNETES_KINDS: [(&str, &str); 23] = [
    ("cj", "cronjob"),
    ("cm", "configmap"),
    ("configmaps", "configmap"),
    ("cronjobs", "cronjob"),
    ("daemonsets", "daemonset"),
    ("deploy", "deployment"),
    ("deployments", "deployment"),
    ("ds", "daemonset"),
    ("ing", "ingress"),
    ("ingresses", "ingress"),
    ("jobs", "job"),
    ("namespaces", "namespace"),
    ("nodes", "node"),
    ("ns", "namespace"),
    ("po", "pod"),
    ("pods", "pod"),
    ("pvc", "persistentvolumeclaim"),
    ("hpa", "horizontalpodautoscaler"),
    ("secrets", "secret"),
    ("services", "service"),
    ("statefulsets", "statefulset"),
    ("sts", "statefulset"),
    ("svc", "service"),
];

/// What a capture becomes in the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `{1}`: as it stands.
    Plain,
    /// `{1^}`: upper-cased.
    Upper,
    /// `{1_}`: lower-cased.
    Lower,
    /// `{1-}`: lower-cased, hyphens removed.
    Compact,
    /// `{1%}`: percent-decoded.
    Decoded,
    /// `{1#}`: a number, no larger than GitLab accepts.
    Number,
    /// `{1@}`: a project path; a name alone belongs to the group of the text, none is the
    /// project of the text.
    Project,
    /// `{1&}`: a group path; none is the group of the text.
    Group,
    /// `{1k}`: the full name of a kind of Kubernetes object.
    Kubernetes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Capture(usize, Form),
    Project,
    Group,
    HostLabel,
    Host,
}

/// Where a text stands and where an address leads: what an id may need besides captures.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place<'a> {
    /// Full path of the project of the text; empty when there is none.
    pub(super) project: &'a str,
    /// The host of the address.
    pub(super) host: &'a str,
}

impl<'a> Place<'a> {
    /// Returns the path of the group that holds the project, if there is one.
    fn group(&self) -> Option<&'a str> {
        self.project.rsplit_once('/').map(|(group, _)| group)
    }
}

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IdTemplate(Vec<Part>);

impl IdTemplate {
    /// Parses a template for a pattern with these captures. An error is the part that names
    /// nothing.
    pub(super) fn parse(
        template: &str,
        names: &BTreeMap<&str, usize>,
        captures: usize,
    ) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((text, tail)) = rest.split_once('{') {
            let Some((name, tail)) = tail.split_once('}') else {
                return Err(format!("{{{tail}"));
            };
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
            parts.push(part(name, names, captures).ok_or_else(|| format!("{{{name}}}"))?);
            rest = tail;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Returns the id, or `None` where something that it needs is missing or out of range.
    pub(super) fn fill(&self, captures: &[Option<&str>], place: Place<'_>) -> Option<String> {
        let mut id = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => id.push_str(text),
                Part::Project if place.project.is_empty() => return None,
                Part::Project => id.push_str(place.project),
                Part::Group => id.push_str(place.group()?),
                Part::Host => id.push_str(place.host),
                Part::HostLabel => id.push_str(place.host.split('.').next()?),
                Part::Capture(index, form) => {
                    let value = captures.get(*index).copied().flatten();
                    id.push_str(&form.apply(value, place)?);
                }
            }
        }
        (!id.is_empty()).then_some(id)
    }

    /// Splits an id into the captures that would build it, each with the text before the next
    /// fixed part. Used to read a bare id back; the caller must check the result.
    pub(super) fn split(&self, id: &str) -> Option<BTreeMap<String, String>> {
        let mut values = BTreeMap::new();
        let mut rest = id;
        let mut parts = self.0.iter().peekable();
        while let Some(part) = parts.next() {
            let name = match part {
                Part::Text(text) => {
                    rest = rest.strip_prefix(text.as_str())?;
                    continue;
                }
                Part::Capture(index, _) => index.to_string(),
                Part::HostLabel => "s".to_owned(),
                Part::Host => "h".to_owned(),
                Part::Project | Part::Group => return None,
            };
            let end = match parts.peek() {
                // A path may hold the separator of a later part, so the last one counts.
                Some(Part::Text(text)) => rest.rfind(text.as_str())?,
                Some(_) => return None,
                None => rest.len(),
            };
            values.insert(name, rest[..end].to_owned());
            rest = &rest[end..];
        }
        rest.is_empty().then_some(values)
    }
}

fn part(name: &str, names: &BTreeMap<&str, usize>, captures: usize) -> Option<Part> {
    if let Some(index) = names.get(name) {
        return Some(Part::Capture(*index, Form::Plain));
    }
    let digits = name.len() - name.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, mark) = name.split_at(digits);
    if number.is_empty() {
        return match name {
            "project" => Some(Part::Project),
            "group" => Some(Part::Group),
            "s" => Some(Part::HostLabel),
            "h" => Some(Part::Host),
            _ => None,
        };
    }
    let form = match mark {
        "" => Form::Plain,
        "^" => Form::Upper,
        "_" => Form::Lower,
        "-" => Form::Compact,
        "%" => Form::Decoded,
        "#" => Form::Number,
        "@" => Form::Project,
        "&" => Form::Group,
        "k" => Form::Kubernetes,
        _ => return None,
    };
    let index = number.parse().ok().filter(|index| *index < captures)?;
    Some(Part::Capture(index, form))
}

impl Form {
    fn apply(self, value: Option<&str>, place: Place<'_>) -> Option<String> {
        match (self, value) {
            (Self::Project, None) => {
                Some(place.project.to_owned()).filter(|project| !project.is_empty())
            }
            (Self::Project, Some(name)) if !name.contains('/') => {
                place.group().map(|group| format!("{group}/{name}"))
            }
            (Self::Group, None) => place.group().map(str::to_owned),
            (Self::Plain | Self::Project | Self::Group, Some(value)) => Some(value.to_owned()),
            (Self::Upper, Some(value)) => Some(value.to_uppercase()),
            (Self::Lower, Some(value)) => Some(value.to_lowercase()),
            (Self::Compact, Some(value)) => Some(value.to_lowercase().replace('-', "")),
            (Self::Decoded, Some(value)) => percent_decoded(value),
            (Self::Number, Some(value)) => {
                let number: u64 = value.parse().ok()?;
                (number <= GITLAB_NUMBER_MAX).then(|| value.to_owned())
            }
            (Self::Kubernetes, Some(value)) => {
                let full = KUBERNETES_KINDS.iter().find(|(short, _)| *short == value);
                Some(full.map_or(value, |(_, full)| full).to_owned())
            }
            (
                Self::Plain
                | Self::Upper
                | Self::Lower
                | Self::Compact
                | Self::Decoded
                | Self::Number
                | Self::Kubernetes,
                None,
            ) => None,
        }
    }
}

/// Decodes percent escapes once. `None` when the result is no text.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        let byte = escape
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = byte {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'_> = Place { project: "acme/shop/web", host: "acme.zendesk.com" };

    fn filled(template: &str, captures: &[Option<&str>]) -> Option<String> {
        let template = IdTemplate::parse(template, &BTreeMap::new(), captures.len());
        template.expect("the template is valid").fill(captures, PLACE)
    }

    #[test]
    fn every_form_does_what_its_mark_says() {
        let cases = [
            ("{1}/{2}", "aB", "c", Some("aB/c")),
            ("{1^}", "web-1", "", Some("WEB-1")),
            ("{1_}", "ABC", "", Some("abc")),
            ("{1-}", "AB-CD", "", Some("abcd")),
            ("{1%}", "a%3Ab%zz", "", Some("a:b%zz")),
            ("{1%}", "%ff", "", None),
            ("{2#}", "", "2147483647", Some("2147483647")),
            ("{2#}", "", "2147483648", None),
            ("{1@}#{2}", "api", "1", Some("acme/shop/api#1")),
            ("{1@}#{2}", "a/b", "1", Some("a/b#1")),
            ("{3@}", "", "", Some("acme/shop/web")),
            ("{3&}", "", "", Some("acme/shop")),
            ("{3}", "", "", None),
            ("{project}!{2}", "", "3", Some("acme/shop/web!3")),
            ("{group}&{2}", "", "3", Some("acme/shop&3")),
            ("{s}/{h}", "", "", Some("acme/acme.zendesk.com")),
            ("{1k}", "sts", "", Some("statefulset")),
            ("{1k}", "pod", "", Some("pod")),
        ];
        for (template, first, second, expected) in cases {
            let captures = [None, Some(first), Some(second), None];
            assert_eq!(filled(template, &captures).as_deref(), expected, "{template} {first}");
        }
    }

    #[test]
    fn template_that_names_nothing_is_refused() {
        for template in ["{4}", "{1?}", "{name}", "{", "a{1", "{}", "{99999999999999999999}"] {
            assert!(IdTemplate::parse(template, &BTreeMap::new(), 4).is_err(), "{template}");
        }
        let names = BTreeMap::from([("number", 2)]);
        assert!(IdTemplate::parse("T-{number}", &names, 4).is_ok());
    }

    #[test]
    fn id_splits_into_what_built_it() {
        let template = IdTemplate::parse("{1}/{2}.{3}", &BTreeMap::new(), 4).expect("valid");
        let values = template.split("C0123/1648.96").expect("splits");
        assert_eq!(values.into_values().collect::<Vec<_>>(), ["C0123", "1648", "96"]);
        assert_eq!(template.split("C0123"), None);
    }
}
