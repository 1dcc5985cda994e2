//! The text of a file of settings, or why there is none.

use api::errno_text;
use rustix::io::Errno;
use std::io::ErrorKind;
use std::path::Path;

/// None where there is no such file. The error names the file, and the line where its bytes are no text.
pub fn text(path: &Path) -> Result<Option<String>, String> {
    match std::fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|error| {
            let before = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
            let line = before.filter(|byte| **byte == b'\n').count() + 1;
            format!("{}:{line}: the file is not UTF-8", path.display())
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read '{}': {}", path.display(), errno_text(&error))),
    }
}

/// The same for a file that has to be there.
pub fn required(path: &Path) -> Result<String, String> {
    text(path)?.ok_or_else(|| format!("cannot read '{}': {}", path.display(), errno_text(&Errno::NOENT.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = std::env::temp_dir().join(format!("virtlxcd-settings-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("file");
        assert_eq!(text(&file), Ok(None));
        assert!(required(&file).unwrap_err().starts_with(&format!("cannot read '{}': ", file.display())));
        std::fs::write(&file, b"a = 1\n# \xff\n").unwrap();
        assert_eq!(text(&file), Err(format!("{}:2: the file is not UTF-8", file.display())));
        assert_eq!(text(&folder), Err(format!("cannot read '{}': Is a directory", folder.display())));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
