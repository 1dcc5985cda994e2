//! The form of libvirt's configuration files: `name = value` lines, values being whole numbers, quoted strings and bracketed
//! lists of strings. What a name means, and which there are, is for each file's reader to say.

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Number(i64),
    Text(String),
    List(Vec<String>),
}

/// What is wrong, and in which line.
pub type Failure = (usize, String);

/// Calls `set` with each setting of the file. Where it refuses one, that is an error of its line.
pub fn read(text: &str, mut set: impl FnMut(&str, Value) -> Result<(), String>) -> Result<(), Failure> {
    read_with_lines(text, |_, name, value| set(name, value))
}

/// The same, each setting with the line where it begins.
pub fn read_with_lines(
    text: &str,
    mut set: impl FnMut(usize, &str, Value) -> Result<(), String>,
) -> Result<(), Failure> {
    let mut reader = Reader { rest: text, line: 1 };
    while let Some((line, name, value)) = reader.setting()? {
        set(line, &name, value).map_err(|why| (line, why))?;
    }
    Ok(())
}

pub fn text(name: &str, value: Value) -> Result<String, String> {
    match value {
        Value::Text(text) => Ok(text),
        _ => Err(format!("{name} expects a string in quotes")),
    }
}

pub fn count(name: &str, value: Value) -> Result<u32, String> {
    let wrong = || format!("{name} expects a whole number from 0 to {}", i32::MAX);
    match value {
        Value::Number(number) => u32::try_from(number).ok().filter(|n| *n <= i32::MAX as u32).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

/// 0 or 1.
pub fn switch(name: &str, value: Value) -> Result<bool, String> {
    match value {
        Value::Number(number @ (0 | 1)) => Ok(number == 1),
        _ => Err(format!("{name} expects 0 or 1")),
    }
}

pub fn list(name: &str, value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::List(list) => Ok(list),
        _ => Err(format!("{name} expects a list of strings, as [ \"one\", \"two\" ]")),
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    /// The next setting with the line where it begins.
    fn setting(&mut self) -> Result<Option<(usize, String, Value)>, Failure> {
        self.skip_space(true);
        if self.rest.is_empty() {
            return Ok(None);
        }
        let line = self.line;
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err((line, "expected the name of a setting".to_string()));
        }
        self.rest = rest;
        self.skip_space(false);
        if !self.eat('=') {
            return Err((line, format!("expected '=' behind '{name}'")));
        }
        self.skip_space(false);
        let value = self.value()?;
        self.skip_space(false);
        if !(self.rest.is_empty() || self.rest.starts_with(['\n', '#'])) {
            return Err((self.line, format!("unexpected text behind the value of '{name}'")));
        }
        Ok(Some((line, name.to_string(), value)))
    }

    fn value(&mut self) -> Result<Value, Failure> {
        if self.rest.starts_with(['"', '\'']) {
            return self.string().map(Value::Text);
        }
        if !self.eat('[') {
            let end = self.rest.find(|c: char| !(c.is_ascii_digit() || c == '-')).unwrap_or(self.rest.len());
            let (digits, rest) = self.rest.split_at(end);
            self.rest = rest;
            let number =
                digits.parse().map_err(|_| (self.line, "expected a number, a \"string\" or a [list]".into()))?;
            return Ok(Value::Number(number));
        }
        let mut list = Vec::new();
        loop {
            self.skip_space(true);
            if self.eat(']') {
                return Ok(Value::List(list));
            }
            if !self.rest.starts_with(['"', '\'']) {
                return Err((self.line, "expected a string or ']' in the list".to_string()));
            }
            list.push(self.string()?);
            self.skip_space(true);
            if !self.eat(',') && !self.rest.starts_with(']') {
                return Err((self.line, "expected ',' or ']' in the list".to_string()));
            }
        }
    }

    fn string(&mut self) -> Result<String, Failure> {
        let quote = ["\"\"\"", "\"", "'"].into_iter().find(|quote| self.rest.starts_with(quote)).unwrap_or("\"");
        let body = self.rest.get(quote.len()..).unwrap_or_default();
        let end = body.find(quote).ok_or_else(|| (self.line, "a string does not end".to_string()))?;
        let text = body.get(..end).unwrap_or_default();
        if quote.len() == 1 && text.contains('\n') {
            return Err((self.line, "a string does not end in its line".to_string()));
        }
        self.line += text.matches('\n').count();
        self.rest = body.get(end + quote.len()..).unwrap_or_default();
        Ok(text.to_string())
    }

    fn eat(&mut self, expected: char) -> bool {
        let rest = self.rest.strip_prefix(expected);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Blanks; with `lines` also line ends and comments.
    fn skip_space(&mut self, lines: bool) {
        loop {
            let trimmed = self.rest.trim_start_matches([' ', '\t', '\r']);
            if lines && trimmed.starts_with('\n') {
                self.line += 1;
                self.rest = trimmed.get(1..).unwrap_or_default();
            } else if lines && trimmed.starts_with('#') {
                self.rest = trimmed.find('\n').and_then(|at| trimmed.get(at..)).unwrap_or_default();
            } else {
                self.rest = trimmed;
                return;
            }
        }
    }
}
