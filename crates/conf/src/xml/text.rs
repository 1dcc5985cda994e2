//! The reader's part for text: what stands between tags and in attributes, with references replaced.

use super::read::{Reader, Step, is_blank, is_char, is_name_byte};
use super::refusal::Refusal;
use super::tree::{Kind, NONE, Span};

impl Reader {
    /// Text up to the next tag. Blanks between elements are dropped by libxml2's rule: kept where the
    /// element holds nothing else, or other text.
    pub(super) fn character_data(&mut self, parent: u32) -> Step<()> {
        let start = self.pos;
        let rest = &self.bytes()[start..];
        let end = start + rest.iter().position(|b| *b == b'<').unwrap_or(rest.len());
        let text = &self.document.input[start..end];
        if let Some(bad) = text.find("]]>") {
            return self.misplaced_end(start, start + bad);
        }
        let blank = text.bytes().all(is_blank);
        let content = self.resolve(start, end, false)?;
        self.pos = end;
        if blank {
            let data = &self.document.nodes[parent as usize];
            let is_text = |i: u32| matches!(self.document.nodes[i as usize].kind, Kind::Text | Kind::Cdata);
            let alone = data.first_child == NONE && self.at("</");
            let beside_text = data.first_child != NONE && (is_text(data.first_child) || is_text(data.last_child));
            if end == self.bytes().len() || !(alone || beside_text) {
                return Ok(());
            }
        }
        self.node(Kind::Text, content, parent).map(|_| ())
    }

    /// libxml2 stands where it began to read: behind a reference, or at the sequence itself where not all of the text is ASCII.
    fn misplaced_end(&mut self, start: usize, bad: usize) -> Step<()> {
        let text = &self.bytes()[start..bad];
        let run = text.iter().rposition(|byte| *byte == b';').filter(|_| text.contains(&b'&')).map_or(0, |at| at + 1);
        let at = if text[run..].is_ascii() { start + run } else { bad };
        Err(Refusal { at, seen: bad, message: "Sequence ']]>' not allowed in content".to_string() })
    }

    /// The end of a CDATA section, which may hold what it likes.
    pub(super) fn cdata_end(&mut self) -> Step<usize> {
        let rest = &self.document.input[self.pos..];
        let without_last: String = match rest.char_indices().rev().nth(1) {
            Some((at, _)) => rest[..at].chars().take(50).collect(),
            None => String::new(),
        };
        self.until("]]>", &format!("CData section not finished\n{without_last}"))
    }

    pub(super) fn attribute_value(&mut self, name: (usize, usize)) -> Step<Span> {
        self.blanks();
        if self.peek() != Some(b'=') {
            let message =
                format!("Specification mandates value for attribute {}", &self.document.input[name.0..name.1]);
            return self.fail(message);
        }
        self.pos += 1;
        self.blanks();
        let Some(quote) = self.peek().filter(|b| matches!(b, b'"' | b'\'')) else {
            return self.fail("AttValue: \" or ' expected");
        };
        let start = self.pos + 1;
        let rest = &self.bytes()[start..];
        let end = rest.iter().position(|b| *b == quote || *b == b'<');
        match end {
            Some(length) if rest[length] == quote => {
                let value = self.resolve(start, start + length, true)?;
                self.pos = start + length + 1;
                Ok(value)
            }
            Some(length) => {
                self.pos = start + length;
                self.fail("Unescaped '<' not allowed in attributes values")
            }
            None => {
                self.pos = self.bytes().len();
                self.fail("AttValue: ' expected")
            }
        }
    }

    /// Text with its references replaced and its line ends made `\n`; in attributes all blanks become spaces.
    fn resolve(&mut self, start: usize, end: usize, attribute: bool) -> Step<Span> {
        let special = |b: u8| match b {
            b'&' | b'\r' => true,
            b'\t' | b'\n' => attribute,
            _ => b < 0x20,
        };
        if !self.bytes()[start..end].iter().any(|b| special(*b)) {
            return Ok(self.span(start, end));
        }
        let from = self.document.resolved.len();
        let mut pos = start;
        while pos < end {
            let rest = &self.document.input[pos..end];
            let plain = rest.bytes().position(special).unwrap_or(rest.len());
            self.document.resolved.push_str(&rest[..plain]);
            pos += plain;
            match self.bytes().get(pos).filter(|_| pos < end) {
                None => break,
                Some(b'&') => pos = self.reference(pos, end)?,
                Some(b'\r') if self.bytes().get(pos + 1) == Some(&b'\n') => pos += 1,
                Some(b'\t' | b'\n' | b'\r') if attribute => {
                    self.document.resolved.push(' ');
                    pos += 1;
                }
                Some(b'\r') => {
                    self.document.resolved.push('\n');
                    pos += 1;
                }
                Some(b'\t' | b'\n') => {
                    self.document.resolved.push(char::from(self.bytes()[pos]));
                    pos += 1;
                }
                Some(byte) => {
                    let message = match attribute {
                        true => "invalid character in attribute value".to_string(),
                        false => format!("PCDATA invalid Char value {byte}"),
                    };
                    self.pos = pos;
                    return self.fail(message);
                }
            }
        }
        Ok(Span { start: from as u32, end: self.document.resolved.len() as u32, resolved: true })
    }

    /// `&name;` or `&#number;` at `pos`; returns what follows it.
    fn reference(&mut self, pos: usize, end: usize) -> Step<usize> {
        self.pos = pos + 1;
        let length = self.document.input[pos + 1..end].bytes().take(64).position(|b| !is_name_byte(b) && b != b'#');
        let name_end = length.map_or(end.min(pos + 65), |l| pos + 1 + l);
        let terminated = self.bytes().get(name_end) == Some(&b';') && name_end < end;
        let name = self.document.input.get(pos + 1..name_end).unwrap_or_default().to_string();
        if let Some(number) = name.strip_prefix('#') {
            let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |hex| (hex, 16));
            let plain = digits.bytes().all(|b| char::from(b).is_digit(radix)) && terminated;
            if digits.is_empty() && terminated {
                self.pos = name_end + 1;
                return self.fail("xmlParseCharRef: invalid xmlChar value 0");
            }
            let code = u32::from_str_radix(digits, radix).ok().filter(|code| plain && *code < 0x11_0000);
            if code.is_none() && plain {
                self.pos = name_end + 1;
                return self.fail("xmlParseCharRef: character reference out of bounds");
            }
            let Some(code) = code else {
                let kind = if radix == 16 { "hexadecimal" } else { "decimal" };
                let wrong = digits.bytes().position(|b| !char::from(b).is_digit(radix)).unwrap_or(digits.len());
                self.pos = name_end - digits.len() + wrong;
                return self.fail(format!("CharRef: invalid {kind} value"));
            };
            match char::from_u32(code).filter(|c| is_char(*c)) {
                Some(c) => self.document.resolved.push(c),
                None => {
                    self.pos = name_end + 1;
                    return self.fail(format!("xmlParseCharRef: invalid xmlChar value {code}"));
                }
            }
            return Ok(name_end + 1);
        }
        if name.is_empty() {
            return self.fail("xmlParseEntityRef: no name");
        }
        self.pos = name_end;
        if !terminated {
            return self.fail("EntityRef: expecting ';'");
        }
        let with = match name.as_str() {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            "apos" => "'",
            _ => {
                self.pos = name_end + 1;
                let Some((_, text)) = self.entities.iter().find(|(known, _)| *known == name) else {
                    if self.undeclared_allowed {
                        return Ok(name_end + 1);
                    }
                    return self.fail(format!("Entity '{name}' not defined"));
                };
                self.expanded += text.len();
                if self.expanded > self.limits.expanded {
                    return self.fail("Detected an entity reference loop");
                }
                text
            }
        };
        self.document.resolved.push_str(with);
        Ok(name_end + 1)
    }

    /// Line ends made `\n`, nothing else.
    pub(super) fn normalized(&mut self, start: usize, end: usize) -> Span {
        if !self.bytes()[start..end].contains(&b'\r') {
            return self.span(start, end);
        }
        let text = self.document.input[start..end].replace("\r\n", "\n").replace('\r', "\n");
        let from = self.document.resolved.len();
        self.document.resolved.push_str(&text);
        Span { start: from as u32, end: self.document.resolved.len() as u32, resolved: true }
    }
}
