//! From a document's bytes to text: encodings are taken and refused as libvirt and libxml2 do together.

use super::read::Step;
use super::refusal::Refusal;

/// The input as UTF-8, from UTF-8 or from what its declaration says.
pub(super) fn decode(input: &[u8]) -> Step<String> {
    // Libvirt hands its parser text that ends at the first zero: UTF-16 is none.
    if input.starts_with(b"\xff\xfe") || input.starts_with(b"\xfe\xff") {
        return Err(Refusal { at: 0, seen: 0, message: "Start tag expected, '<' not found".to_string() });
    }
    let input = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
    let declared = declared_encoding(input);
    match declared.as_deref().map(str::to_ascii_uppercase).as_deref() {
        // Text of 8 bits that calls itself UTF-16 is taken as it is.
        None | Some("UTF-8" | "UTF8" | "UTF-16" | "UTF16" | "US-ASCII" | "ASCII") => {}
        Some("ISO-8859-1" | "ISO-LATIN-1" | "ISO LATIN 1" | "LATIN1") => {
            return Ok(input.iter().map(|b| char::from(*b)).collect());
        }
        // Known, but the text has to be UTF-8 all the same.
        Some(known) if ["WINDOWS-", "ISO-8859-", "CP", "KOI8-"].iter().any(|prefix| known.starts_with(prefix)) => {}
        Some(_) => {
            let name = declared.unwrap_or_default();
            let at =
                input.windows(name.len()).position(|part| part == name.as_bytes()).map_or(0, |at| at + name.len() + 1);
            return Err(Refusal { at, seen: at, message: format!("Unsupported encoding {name}") });
        }
    }
    match std::str::from_utf8(input) {
        Ok(text) => Ok(text.to_string()),
        Err(e) => {
            let at = e.valid_up_to();
            let bytes: Vec<String> =
                input[at..].iter().chain([0; 4].iter()).take(4).map(|b| format!("0x{b:02X}")).collect();
            let message = format!("Input is not proper UTF-8, indicate encoding !\nBytes: {}", bytes.join(" "));
            Err(Refusal { at, seen: at, message })
        }
    }
}

fn declared_encoding(input: &[u8]) -> Option<String> {
    let rest = input.strip_prefix(b"<?xml")?;
    let end = rest.iter().take(200).position(|b| *b == b'>')?;
    let declaration = String::from_utf8_lossy(&rest[..end]).into_owned();
    let after = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start().to_string();
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    after[1..].split_once(quote).map(|(name, _)| name.to_string()).filter(|name| is_name(name))
}

/// Others are the reader's to refuse.
fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::declared_encoding;

    #[test]
    fn an_empty_name_is_no_encoding() {
        assert_eq!(declared_encoding(b"<?xml version='1.0' encoding=''?><a/>"), None);
        assert_eq!(declared_encoding(b"<?xml version='1.0' encoding='x'?><a/>").as_deref(), Some("x"));
    }
}
