//! The text of a file: UTF-8, with or without a mark that says so.

use super::RecordedError;

/// What a file holds, without the mark.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) file: &'a str,
    pub(super) bytes: &'a [u8],
}

impl<'a> Text<'a> {
    /// Refuses a file that is empty or, as PowerShell's `>` writes it, in UTF-16.
    pub(super) fn of(file: &'a str, bytes: &'a [u8]) -> Result<Self, RecordedError> {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(RecordedError::Utf16 { file: file.to_owned() });
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(RecordedError::Empty { file: file.to_owned() });
        }
        Ok(Self { file, bytes })
    }

    pub(super) fn is_json(self) -> bool {
        matches!(self.bytes.trim_ascii_start().first(), Some(b'{' | b'['))
    }

    /// That it is no export at all, but perhaps the message of a command that failed.
    pub(super) fn is_no_export(self) -> RecordedError {
        RecordedError::NoExport { file: self.file.to_owned(), beginning: self.beginning() }
    }

    /// Its first characters, none of which moves a terminal's cursor.
    fn beginning(self) -> String {
        let text = String::from_utf8_lossy(self.bytes);
        let escaped = |character: char| {
            if character.is_control() {
                character.escape_default().to_string()
            } else {
                character.to_string()
            }
        };
        text.trim().chars().take(60).map(escaped).collect()
    }
}
