//! Numbers as decimal digits, without the machinery of `fmt`: a page of a hundred items holds two
//! thousand of them.

/// The longest number has so many digits.
const LONGEST: usize = 20;

/// A number as text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decimal {
    digits: [u8; LONGEST],
    start: usize,
}

impl Decimal {
    /// Writes a number out.
    pub(crate) fn new(mut number: u64) -> Self {
        let mut digits = [b'0'; LONGEST];
        let mut start = LONGEST;
        loop {
            start -= 1;
            digits[start] = b'0' + u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
            if number == 0 {
                return Self { digits, start };
            }
        }
    }

    /// Returns the digits.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.digits[self.start..]
    }

    /// Returns the digits as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_usual() {
        for number in [0, 7, 10, 99, 100, 1_234_567_890, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(Decimal::new(number).text(), number.to_string());
        }
    }
}
