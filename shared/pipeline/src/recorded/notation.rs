//! How a table is written: what stands between its cells, and in its numbers.

/// Commas, or what spreadsheets write where a comma is the decimal sign: semicolons, and tabs.
#[derive(Clone, Copy)]
pub(super) struct Notation {
    /// What stands between two cells.
    pub(super) separator: u8,
}

impl Notation {
    /// As the header shows: what it has most of. Without any there is one column, and nothing to separate.
    pub(super) fn of(table: &[u8]) -> Self {
        let header = unquoted_header(table);
        let count = |separator: &u8| header.iter().filter(|byte| *byte == separator).count();
        // Of several the last is taken.
        let separator = [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',');
        Self { separator }
    }

    /// `12.5`; and `12,5` where commas don't separate cells.
    pub(super) fn number(self, cell: &str) -> Option<f64> {
        cell.parse().ok().or_else(|| self.with_decimal_comma(cell))
    }

    fn with_decimal_comma(self, cell: &str) -> Option<f64> {
        let (whole, decimals) = cell.split_once(',').filter(|_| self.separator != b',')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let unsigned = whole.strip_prefix('-').unwrap_or(whole);
        // Semicolons are written because of decimal commas; tabs are not, and `3,077` would be either.
        let may_be_thousands = self.separator == b'\t'
            && decimals.len() == 3
            && unsigned.len() <= 3
            && !unsigned.starts_with('0');
        let valid = digits(unsigned) && digits(decimals) && !may_be_thousands;
        valid.then(|| format!("{whole}.{decimals}").parse().ok())?
    }
}

/// The first line that has something, without what is quoted.
fn unquoted_header(table: &[u8]) -> Vec<u8> {
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let mut quoted = false;
    let unquoted = |byte: &u8| {
        quoted ^= *byte == b'"';
        !quoted
    };
    table.iter().copied().skip_while(is_end).take_while(|byte| !is_end(byte)).filter(unquoted).collect()
}
