//! The reader's part for what is no element: comments, instructions, and the document type with its entities.

use super::read::{Reader, Step, is_blank, is_char};
use super::tree::Span;

/// So many entities a document declares, and so long those get that are made of others.
const MOST_ENTITIES: usize = 100;
const LONGEST_ENTITY: usize = 4_096;

impl Reader {
    /// `<?xml version='1.0' encoding='UTF-8' standalone='yes'?>`, of which only the version is compulsory.
    pub(super) fn declaration(&mut self) -> Step<()> {
        self.pos += 5;
        self.blanks();
        let digits = |at: usize, byte: u8| if at == 1 { byte == b'.' } else { byte.is_ascii_digit() };
        let version = self.declared("version", digits)?.filter(|(from, to)| to - from > 1);
        let Some(version) = version.map(|(from, to)| self.document.input[from..to].to_string()) else {
            return self.fail("Malformed declaration expecting version");
        };
        if !version.starts_with("1.") {
            return self.fail(format!("Unsupported version '{version}'"));
        }
        self.apart()?;
        let name = |at: usize, byte: u8| {
            byte.is_ascii_alphabetic() || at > 0 && (byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-'))
        };
        if self.declared("encoding", name)?.is_some() {
            self.apart()?;
        }
        let word = |at: usize, byte: u8| b"yes".get(at) == Some(&byte) || b"no".get(at) == Some(&byte);
        self.declared("standalone", word)?;
        self.blanks();
        match self.at("?>") {
            true => self.pos += 2,
            false => return self.fail("parsing XML declaration: '?>' expected"),
        }
        Ok(())
    }

    /// Blanks, or the declaration's end.
    fn apart(&mut self) -> Step<()> {
        match self.blanks() || self.at("?>") {
            true => Ok(()),
            false => self.fail("Blank needed here"),
        }
    }

    /// `name = 'value'`, if it is here; `fits` tells which byte may stand where in the value.
    fn declared(&mut self, name: &str, fits: fn(usize, u8) -> bool) -> Step<Option<(usize, usize)>> {
        if !self.at(name) {
            return Ok(None);
        }
        self.pos += name.len();
        self.blanks();
        if self.peek() != Some(b'=') {
            return self.fail("expected '='");
        }
        self.pos += 1;
        self.blanks();
        let Some(quote) = self.peek().filter(|byte| matches!(byte, b'"' | b'\'')) else {
            return self.fail("String not started expecting ' or \"");
        };
        self.pos += 1;
        let from = self.pos;
        while self.peek().is_some_and(|byte| fits(self.pos - from, byte)) {
            self.pos += 1;
        }
        let value = &self.document.input[from..self.pos];
        match name {
            "encoding" if value.is_empty() => return self.fail("Invalid XML encoding name"),
            "standalone" if !["yes", "no"].contains(&value) => {
                self.pos = from;
                return self.fail("standalone accepts only 'yes' or 'no'");
            }
            "version" if value.is_empty() && self.peek() == Some(quote) => {
                self.pos += 1;
                return Ok(None);
            }
            _ => {}
        }
        if self.peek() != Some(quote) {
            return self.fail("String not closed expecting \" or '");
        }
        self.pos += 1;
        let to = self.pos - 1;
        Ok(Some((from, to)))
    }

    /// Comments, instructions and blanks outside the root.
    pub(super) fn misc(&mut self) -> Step<()> {
        loop {
            self.blanks();
            if self.at("<!--") {
                self.comment()?;
            } else if self.at("<?") {
                self.instruction()?;
            } else {
                return Ok(());
            }
        }
    }

    pub(super) fn comment(&mut self) -> Step<Span> {
        let start = self.pos + 4;
        self.pos = start;
        let end = self.until("-->", "Comment not terminated")?;
        if let Some(bad) = self.document.input[start..end].find("--") {
            self.pos = start + bad;
            let before: String = self.document.input[start..start + bad].chars().take(50).collect();
            return self.fail(format!("Double hyphen within comment: <!--{before}"));
        }
        Ok(self.normalized(start, end))
    }

    pub(super) fn instruction(&mut self) -> Step<Span> {
        let start = self.pos + 2;
        self.pos = start;
        let Some((from, to)) = self.name() else {
            return self.fail("xmlParsePI : no target name");
        };
        let target = self.document.input[from..to].to_string();
        if target.eq_ignore_ascii_case("xml") {
            return self.fail("XML declaration allowed only at the start of the document");
        }
        if !self.at("?>") && !self.peek().is_some_and(is_blank) {
            return self.fail(format!("ParsePI: PI {target} space expected"));
        }
        let end = self.until("?>", &format!("ParsePI: PI {target} never end ..."))?;
        Ok(self.normalized(start, end))
    }

    /// Entities with plain text are learnt; the rest of the internal subset is passed over. Nothing is fetched.
    pub(super) fn doctype(&mut self) -> Step<()> {
        self.pos += 9;
        self.blanks();
        if self.name().is_none() {
            return self.fail("xmlParseDocTypeDecl : no DOCTYPE name !");
        }
        self.blanks();
        // What is declared elsewhere is not fetched, so nothing is known to be undeclared.
        self.undeclared_allowed = self.at("SYSTEM") || self.at("PUBLIC");
        let mut subset = false;
        loop {
            match self.peek() {
                None => return self.fail("DOCTYPE improperly terminated"),
                Some(b'[') => {
                    subset = true;
                    self.pos += 1;
                }
                Some(b']') => {
                    subset = false;
                    self.pos += 1;
                }
                Some(b'>') => {
                    self.pos += 1;
                    if !subset {
                        return Ok(());
                    }
                }
                Some(quote @ (b'"' | b'\'')) => {
                    self.pos += 1;
                    self.until(if quote == b'"' { "\"" } else { "'" }, "DOCTYPE improperly terminated")?;
                }
                Some(b'<') if self.at("<!--") => {
                    self.comment()?;
                }
                Some(b'<') if self.at("<!ENTITY") => self.entity()?,
                Some(_) => self.pos += 1,
            }
        }
    }

    fn entity(&mut self) -> Step<()> {
        self.pos += 8;
        self.blanks();
        let Some((from, to)) = self.name() else { return Ok(()) };
        self.blanks();
        let name = self.document.input[from..to].to_string();
        let Some(quote) = self.peek().filter(|b| matches!(b, b'"' | b'\'')) else {
            // One that would have to be fetched is empty.
            if self.entities.len() < MOST_ENTITIES && (self.at("SYSTEM") || self.at("PUBLIC")) {
                self.entities.push((name, String::new()));
            }
            return Ok(());
        };
        let start = self.pos + 1;
        self.pos = start;
        let end = self.until(if quote == b'"' { "\"" } else { "'" }, "EntityValue: \" or ' expected")?;
        if self.entities.len() >= MOST_ENTITIES {
            return Ok(());
        }
        let Some(text) = self.entity_text(&self.document.input[start..end]) else { return Ok(()) };
        // The first declaration counts.
        if !self.entities.iter().any(|(known, _)| *known == name) {
            self.entities.push((name, text));
        }
        Ok(())
    }

    /// What stands for an entity that is made of text and of entities declared before, as far as that is short: else it would
    /// expand without bound. Elements in it are nothing.
    fn entity_text(&self, text: &str) -> Option<String> {
        if text.contains('%') {
            return None;
        }
        if text.contains('<') {
            return Some(String::new());
        }
        let Some((first, rest)) = text.split_once('&') else { return Some(text.to_string()) };
        if text.len() > LONGEST_ENTITY {
            return None;
        }
        let mut whole = first.to_string();
        for part in rest.split('&') {
            let (name, behind) = part.split_once(';')?;
            match name.strip_prefix('#') {
                Some(number) => whole.push(character(number)?),
                None => whole.push_str(&self.entities.iter().find(|(known, _)| known == name)?.1),
            }
            whole.push_str(behind);
            if whole.len() > LONGEST_ENTITY {
                return None;
            }
        }
        Some(whole)
    }
}

/// What `&#N;` or `&#xN;` stands for in the value of an entity: no mark-up, which would be read again.
fn character(number: &str) -> Option<char> {
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |hex| (hex, 16));
    let code = u32::from_str_radix(digits, radix).ok()?;
    char::from_u32(code).filter(|c| is_char(*c) && !matches!(c, '&' | '<'))
}
