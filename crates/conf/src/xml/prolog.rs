//! The reader's part for what is no element: comments, instructions, and the document type with its entities.

use super::read::{Reader, Step};
use super::tree::Span;

impl Reader {
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
        if self.document.input[from..to].eq_ignore_ascii_case("xml") {
            return self.fail("XML declaration allowed only at the start of the document");
        }
        let end = self.until("?>", "ParsePI: PI never end ...")?;
        Ok(self.normalized(start, end))
    }

    /// Entities with plain text are learnt; the rest of the internal subset is passed over. Nothing is fetched.
    pub(super) fn doctype(&mut self) -> Step<()> {
        self.pos += 9;
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
        let Some(quote) = self.peek().filter(|b| matches!(b, b'"' | b'\'')) else {
            return Ok(());
        };
        let start = self.pos + 1;
        self.pos = start;
        let end = self.until(if quote == b'"' { "\"" } else { "'" }, "EntityValue: \" or ' expected")?;
        let text = &self.document.input[start..end];
        // An entity made of entities or of elements is not followed: it would expand without bound.
        if self.entities.len() < 100 && !text.contains(['&', '<', '%']) {
            self.entities.push((self.document.input[from..to].to_string(), text.to_string()));
        }
        Ok(())
    }
}
