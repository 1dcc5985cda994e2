//! A command line cut into words: blanks separate, quotes join, `;` and newlines end a command, `#` begins a comment.

/// The commands of a line, each as its words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    pub commands: Vec<Vec<String>>,
}

/// What libvirt's virsh says about a line that cannot be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    MissingQuote,
    DanglingBackslash,
}

impl Malformed {
    pub fn text(self) -> &'static str {
        match self {
            Malformed::MissingQuote => "missing \"",
            Malformed::DanglingBackslash => "dangling \\",
        }
    }
}

pub fn split(line: &str) -> Result<Line, Malformed> {
    let mut commands = Vec::new();
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        while chars.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        match chars.peek().copied() {
            None => break,
            Some(';' | '\n') => {
                chars.next();
                end(&mut commands, &mut words);
            }
            Some('#') => while chars.next_if(|c| *c != '\n').is_some() {},
            Some('\\') if chars.clone().nth(1) == Some('\n') => {
                chars.next();
                chars.next();
            }
            Some(_) => words.push(word(&mut chars)?),
        }
    }
    end(&mut commands, &mut words);
    Ok(Line { commands })
}

fn end(commands: &mut Vec<Vec<String>>, words: &mut Vec<String>) {
    if !words.is_empty() {
        commands.push(std::mem::take(words));
    }
}

fn word(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, Malformed> {
    let mut word = String::new();
    let (mut single, mut double) = (false, false);
    while let Some(c) = chars.peek().copied() {
        if !single && !double && matches!(c, ' ' | '\t' | ';' | '\n') {
            break;
        }
        chars.next();
        match c {
            '\'' if !double => single = !single,
            '"' if !single => double = !double,
            '\\' if !single => match chars.next() {
                None => return Err(Malformed::DanglingBackslash),
                Some('\n') => {}
                Some(c) => word.push(c),
            },
            _ => word.push(c),
        }
    }
    match double {
        true => Err(Malformed::MissingQuote),
        false => Ok(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_as_recorded() {
        let table: [(&str, &[&[&str]]); 10] = [
            ("list --all", &[&["list", "--all"]]),
            ("a;;b \n c", &[&["a"], &["b"], &["c"]]),
            ("echo a \\; b", &[&["echo", "a", ";", "b"]]),
            ("echo 'a;b' \"c;d\"", &[&["echo", "a;b", "c;d"]]),
            ("echo 'unterminated", &[&["echo", "unterminated"]]),
            ("echo # comment", &[&["echo"]]),
            ("# comment", &[]),
            (";", &[]),
            ("x '' \"\\\"\"", &[&["x", "", "\""]]),
            ("x a'b c'd", &[&["x", "ab cd"]]),
        ];
        for (line, expected) in table {
            let commands = split(line).unwrap_or_else(|e| panic!("{line}: {}", e.text())).commands;
            assert_eq!(commands, expected, "{line}");
        }
        assert_eq!(split("echo \"x"), Err(Malformed::MissingQuote));
        assert_eq!(split("echo x\\"), Err(Malformed::DanglingBackslash));
    }
}
