//! A JSON writer for lists.
//!
//! A page of a hundred items is 400 kilobytes, of which most is descriptions. `serde_json` looks at
//! every byte of them, and of every key. This one copies keys, which it knows to be plain, looks for
//! what must be escaped eight bytes at a time, and takes made texts as they are. What it writes is
//! what `serde_json` would write; a test compares them. It refuses keys that are no text, which no
//! shape has.

use std::fmt::{self, Display, Write};

use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
};

use crate::digits::Decimal;

/// The name of a newtype around something that is displayed as plain text, and in the alternate
/// form (`{:#}`) as text that is escaped already. Other writers do not know the name and escape the
/// plain form.
pub(super) const ESCAPED: &str = "gitlab_sim::escaped";

/// The name under which `serde_json` passes raw values on.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// Appends a value as JSON.
pub(super) fn write(to: &mut Vec<u8>, value: &impl Serialize) -> Result<(), Refused> {
    value.serialize(&mut Writer { to, escaped: false })
}

/// Something that JSON cannot hold.
#[derive(Debug)]
pub(super) struct Refused(String);

impl Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl ser::Error for Refused {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

struct Writer<'b> {
    to: &'b mut Vec<u8>,
    /// True where texts are escaped already.
    escaped: bool,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.to.extend_from_slice(bytes);
    }

    fn number(&mut self, number: u64) {
        self.put(Decimal::new(number).bytes());
    }
}

/// Appends a text, escaping what JSON does not take between quotes.
pub(super) fn escape(to: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    let mut plain = 0;
    let mut next = 0;
    while let Some(place) = find_special(bytes, next) {
        to.extend_from_slice(&bytes[plain..place]);
        match bytes[place] {
            b'"' => to.extend_from_slice(b"\\\""),
            b'\\' => to.extend_from_slice(b"\\\\"),
            b'\n' => to.extend_from_slice(b"\\n"),
            b'\r' => to.extend_from_slice(b"\\r"),
            b'\t' => to.extend_from_slice(b"\\t"),
            8 => to.extend_from_slice(b"\\b"),
            12 => to.extend_from_slice(b"\\f"),
            byte => {
                let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
                to.extend_from_slice(b"\\u00");
                to.extend_from_slice(&digits);
            }
        }
        next = place + 1;
        plain = next;
    }
    to.extend_from_slice(&bytes[plain..]);
}

/// Finds the next quote, backslash or control character.
fn find_special(bytes: &[u8], from: usize) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    let suspect = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20);
        let quote = (word ^ (ONES * u64::from(b'"'))).wrapping_sub(ONES);
        let slash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
        (control | quote | slash) & !word & HIGH != 0
    };
    let (words, rest) = bytes[from..].as_chunks::<8>();
    let mut place = from;
    for word in words {
        // A borrow can set a mark too many behind a real one, never one too few: look closely.
        if suspect(word)
            && let Some(index) = word.iter().position(|byte| special(*byte))
        {
            return Some(place + index);
        }
        place += 8;
    }
    // The last eight bytes were looked at in part, and most often all of them are plain.
    if !words.is_empty() && bytes.last_chunk().is_some_and(|word| !suspect(word)) {
        return None;
    }
    rest.iter().position(|byte| special(*byte)).map(|index| place + index)
}

/// Escapes what a formatter writes.
struct Escaping<'b>(&'b mut Vec<u8>);

impl Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(self.0, text);
        Ok(())
    }
}

/// Takes what a formatter writes as it is.
struct Copying<'b>(&'b mut Vec<u8>);

impl Write for Copying<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

macro_rules! numbers {
    ($($method:ident: $type:ty => $wide:ty),*) => {
        $(fn $method(self, number: $type) -> Result<(), Refused> {
            let number = <$wide>::from(number);
            if number < 0 {
                self.put(b"-");
            }
            self.number(number.unsigned_abs());
            Ok(())
        })*
    };
}

impl<'w, 'b> ser::Serializer for &'w mut Writer<'b> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Inside<'w, 'b>;
    type SerializeTuple = Inside<'w, 'b>;
    type SerializeTupleStruct = Inside<'w, 'b>;
    type SerializeTupleVariant = Inside<'w, 'b>;
    type SerializeMap = Inside<'w, 'b>;
    type SerializeStruct = Inside<'w, 'b>;
    type SerializeStructVariant = Inside<'w, 'b>;

    numbers!(
        serialize_i8: i8 => i64,
        serialize_i16: i16 => i64,
        serialize_i32: i32 => i64,
        serialize_i64: i64 => i64
    );

    fn serialize_bool(self, value: bool) -> Result<(), Refused> {
        self.put(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_u8(self, number: u8) -> Result<(), Refused> {
        self.serialize_u64(number.into())
    }

    fn serialize_u16(self, number: u16) -> Result<(), Refused> {
        self.serialize_u64(number.into())
    }

    fn serialize_u32(self, number: u32) -> Result<(), Refused> {
        self.serialize_u64(number.into())
    }

    fn serialize_u64(self, number: u64) -> Result<(), Refused> {
        self.number(number);
        Ok(())
    }

    fn serialize_f32(self, number: f32) -> Result<(), Refused> {
        self.serialize_f64(number.into())
    }

    fn serialize_f64(self, number: f64) -> Result<(), Refused> {
        let text = serde_json::Number::from_f64(number).map(|number| number.to_string());
        self.put(text.as_deref().unwrap_or("null").as_bytes());
        Ok(())
    }

    fn serialize_char(self, character: char) -> Result<(), Refused> {
        self.serialize_str(character.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Result<(), Refused> {
        if self.escaped {
            self.put(text.as_bytes());
        } else {
            self.put(b"\"");
            escape(self.to, text);
            self.put(b"\"");
        }
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Refused> {
        if self.escaped {
            return write!(Copying(self.to), "{value:#}").map_err(ser::Error::custom);
        }
        self.put(b"\"");
        write!(Escaping(self.to), "{value}").map_err(ser::Error::custom)?;
        self.put(b"\"");
        Ok(())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Refused> {
        bytes.serialize(self)
    }

    fn serialize_none(self) -> Result<(), Refused> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Refused> {
        self.put(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Refused> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Refused> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        if name != ESCAPED {
            return value.serialize(self);
        }
        self.put(b"\"");
        value.serialize(&mut Writer { to: self.to, escaped: true })?;
        self.put(b"\"");
        Ok(())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        let mut map = self.serialize_map(Some(1))?;
        map.serialize_entry(variant, value)?;
        SerializeMap::end(map)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Inside<'w, 'b>, Refused> {
        Ok(Inside::open(self, b"[", b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Inside<'w, 'b>, Refused> {
        Ok(Inside::open(self, b"[", b"]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Inside<'w, 'b>, Refused> {
        Ok(Inside::open(self, b"[", b"]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Inside<'w, 'b>, Refused> {
        self.put(b"{");
        self.serialize_str(variant)?;
        Ok(Inside::open(self, b":[", b"]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Inside<'w, 'b>, Refused> {
        Ok(Inside::open(self, b"{", b"}"))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Inside<'w, 'b>, Refused> {
        if name == RAW_VALUE {
            return Ok(Inside { raw: true, ..Inside::open(self, b"", b"") });
        }
        Ok(Inside::open(self, b"{", b"}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Inside<'w, 'b>, Refused> {
        self.put(b"{");
        self.serialize_str(variant)?;
        Ok(Inside::open(self, b":{", b"}}"))
    }
}

/// An array or object that is being written.
struct Inside<'w, 'b> {
    writer: &'w mut Writer<'b>,
    close: &'static [u8],
    first: bool,
    raw: bool,
}

impl<'w, 'b> Inside<'w, 'b> {
    fn open(writer: &'w mut Writer<'b>, open: &[u8], close: &'static [u8]) -> Self {
        writer.put(open);
        Self { writer, close, first: true, raw: false }
    }

    fn next(&mut self) {
        if !self.first {
            self.writer.put(b",");
        }
        self.first = false;
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        self.next();
        value.serialize(&mut *self.writer)
    }

    /// Writes a field whose key is the name of a field in our code and so needs no escape.
    #[inline]
    fn field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        if self.raw {
            return value.serialize(&mut Writer { to: self.writer.to, escaped: true });
        }
        self.next();
        self.writer.put(b"\"");
        self.writer.put(key.as_bytes());
        self.writer.put(b"\":");
        value.serialize(&mut *self.writer)
    }

    fn close(self) {
        self.writer.put(self.close);
    }
}

macro_rules! elements {
    ($($trait:ident: $method:ident),*) => {
        $(impl $trait for Inside<'_, '_> {
            type Ok = ();
            type Error = Refused;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
                self.element(value)
            }

            fn end(self) -> Result<(), Refused> {
                self.close();
                Ok(())
            }
        })*
    };
}

elements!(
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field
);

macro_rules! fields {
    ($($trait:ident),*) => {
        $(impl $trait for Inside<'_, '_> {
            type Ok = ();
            type Error = Refused;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Refused> {
                self.field(key, value)
            }

            fn end(self) -> Result<(), Refused> {
                self.close();
                Ok(())
            }
        })*
    };
}

fields!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Inside<'_, '_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        self.next();
        let start = self.writer.to.len();
        key.serialize(&mut *self.writer)?;
        // Ids are keys too, as numbers; JSON wants them between quotes.
        match self.writer.to.get(start) {
            Some(b'"') => Ok(()),
            Some(b'0'..=b'9' | b'-' | b't' | b'f') => {
                self.writer.to.insert(start, b'"');
                self.writer.put(b"\"");
                Ok(())
            }
            _ => Err(Refused("a key must be a text".to_owned())),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        self.writer.put(b":");
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Result<(), Refused> {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
