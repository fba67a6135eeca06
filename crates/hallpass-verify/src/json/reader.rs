//! The grammar of RFC 8259, byte by byte.

use super::{JsonFault, Object, Value};

/// Reads one value that fills `text`.
pub(super) fn read(text: &str, depth_max: usize) -> Result<Value, JsonFault> {
    let mut reader = Reader { text, at: 0 };
    reader.skip_blanks();
    let value = reader.value(depth_max)?;
    reader.skip_blanks();
    if reader.peek().is_some() {
        return Err(JsonFault::Syntax);
    }
    Ok(value)
}

struct Reader<'t> {
    text: &'t str,
    /// The next byte to read.
    at: usize,
}

impl<'t> Reader<'t> {
    fn value(&mut self, depth_left: usize) -> Result<Value, JsonFault> {
        match self.peek() {
            Some(b'{') => self.object(depth_left),
            Some(b'[') => self.array(depth_left),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(JsonFault::Syntax),
        }
    }

    fn object(&mut self, depth_left: usize) -> Result<Value, JsonFault> {
        let depth_left = depth_left.checked_sub(1).ok_or(JsonFault::TooDeep)?;
        let mut members = Vec::new();
        self.at += 1;
        self.skip_blanks();
        if !self.eat(b'}') {
            loop {
                self.skip_blanks();
                let name = self.string()?;
                self.skip_blanks();
                self.demand(b':')?;
                self.skip_blanks();
                members.push((name, self.value(depth_left)?));
                self.skip_blanks();
                if self.eat(b'}') {
                    break;
                }
                self.demand(b',')?;
            }
        }
        Object::from_members(members)
            .map(Value::Object)
            .ok_or(JsonFault::Duplicate)
    }

    fn array(&mut self, depth_left: usize) -> Result<Value, JsonFault> {
        let depth_left = depth_left.checked_sub(1).ok_or(JsonFault::TooDeep)?;
        let mut elements = Vec::new();
        self.at += 1;
        self.skip_blanks();
        if self.eat(b']') {
            return Ok(Value::Array(elements));
        }
        loop {
            self.skip_blanks();
            elements.push(self.value(depth_left)?);
            self.skip_blanks();
            if self.eat(b']') {
                return Ok(Value::Array(elements));
            }
            self.demand(b',')?;
        }
    }

    fn string(&mut self) -> Result<String, JsonFault> {
        self.demand(b'"')?;
        let mut unescaped = String::new();
        loop {
            unescaped.push_str(self.plain());
            match self.next() {
                Some(b'"') => return Ok(unescaped),
                Some(b'\\') => unescaped.push(self.escape()?),
                // RFC 8259 §7: control characters must be escaped.
                _ => return Err(JsonFault::Syntax),
            }
        }
    }

    /// Takes the characters up to the next quote, backslash or control character.
    fn plain(&mut self) -> &'t str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let stop = |byte| matches!(byte, b'"' | b'\\' | 0..0x20);
        let len = rest.bytes().position(stop).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    fn escape(&mut self) -> Result<char, JsonFault> {
        match self.next() {
            Some(b'"') => Ok('"'),
            Some(b'\\') => Ok('\\'),
            Some(b'/') => Ok('/'),
            Some(b'b') => Ok('\u{8}'),
            Some(b'f') => Ok('\u{c}'),
            Some(b'n') => Ok('\n'),
            Some(b'r') => Ok('\r'),
            Some(b't') => Ok('\t'),
            Some(b'u') => self.escaped_code_point(),
            _ => Err(JsonFault::Syntax),
        }
    }

    fn escaped_code_point(&mut self) -> Result<char, JsonFault> {
        let first = self.four_hex_digits()?;
        let code_point = if (0xD800..0xDC00).contains(&first) {
            self.demand(b'\\')?;
            self.demand(b'u')?;
            let second = self.four_hex_digits()?;
            if !(0xDC00..0xE000).contains(&second) {
                return Err(JsonFault::Syntax);
            }
            0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
        } else {
            first
        };
        // A lone low surrogate is no character.
        char::from_u32(code_point).ok_or(JsonFault::Syntax)
    }

    fn four_hex_digits(&mut self) -> Result<u32, JsonFault> {
        let mut number = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|byte| char::from(byte).to_digit(16));
            number = number * 16 + digit.ok_or(JsonFault::Syntax)?;
        }
        Ok(number)
    }

    fn number(&mut self) -> Result<serde_json::Number, JsonFault> {
        let start = self.at;
        self.eat(b'-');
        // RFC 8259 §6: no leading zeros.
        if !self.eat(b'0') {
            self.digits()?;
        }
        let whole_until = self.at;
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _sign = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        if self.at == whole_until {
            if let Ok(number) = text.parse::<u64>() {
                return Ok(number.into());
            }
            if let Ok(number) = text.parse::<i64>() {
                return Ok(number.into());
            }
        }
        let number: f64 = text.parse().map_err(|_| JsonFault::Syntax)?;
        serde_json::Number::from_f64(number).ok_or(JsonFault::NumberTooBig)
    }

    /// Takes one digit or more.
    fn digits(&mut self) -> Result<(), JsonFault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            Err(JsonFault::Syntax)
        } else {
            Ok(())
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonFault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(JsonFault::Syntax);
        }
        self.at += word.len();
        Ok(value)
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn demand(&mut self, byte: u8) -> Result<(), JsonFault> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(JsonFault::Syntax)
        }
    }
}
