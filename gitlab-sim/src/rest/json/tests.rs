//! The writer against `serde_json`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json, value::RawValue};

use super::*;

#[derive(Serialize)]
enum Kind {
    Unit,
    New(u8),
    Tuple(i8, char),
    Struct { x: Option<f64> },
}

#[derive(Serialize)]
struct Outer<'t> {
    id: u64,
    low: i64,
    text: &'t str,
    #[serde(flatten)]
    more: Option<Inner>,
    kinds: Vec<Kind>,
    raw: Box<RawValue>,
    value: Value,
    map: BTreeMap<u64, bool>,
    unit: (),
    pair: (u16, f32),
}

#[derive(Serialize)]
struct Inner {
    deep: &'static str,
}

fn same(value: &impl Serialize) {
    let mut written = Vec::new();
    write(&mut written, value).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), serde_json::to_string(value).unwrap());
}

#[test]
fn it_writes_what_serde_json_writes() {
    let texts =
        ["", "plain", "\"quotes\" and \\", "\u{0}\u{1f}\u{7f}\u{8}\u{c}\n\r\t", "ü€🦀\u{2028}"];
    for text in texts {
        for more in [None, Some(Inner { deep: "\n" })] {
            same(&Outer {
                id: u64::MAX,
                low: i64::MIN,
                text,
                more,
                kinds: vec![
                    Kind::Unit,
                    Kind::New(1),
                    Kind::Tuple(-1, '"'),
                    Kind::Struct { x: Some(0.5) },
                    Kind::Struct { x: None },
                ],
                raw: serde_json::value::to_raw_value(&json!({"a": [1, "\"" ]})).unwrap(),
                value: json!({"a\"": [null, true, 1.5, -3], "b": {}}),
                map: BTreeMap::from([(1, true), (2, false)]),
                unit: (),
                pair: (7, f32::NAN),
            });
        }
    }
}

#[test]
fn what_must_be_escaped_is_found_at_every_place() {
    for length in 0..40 {
        for place in 0..length {
            for special in ["\"", "\\", "\n", "\u{1}", "ü", "\u{7f}"] {
                let mut text = "x".repeat(length);
                text.replace_range(place..=place, special);
                same(&text);
                same(&format!("{text}{text}"));
            }
        }
    }
}
