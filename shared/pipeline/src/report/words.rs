//! Numbers and times as the page writes them.

use jiff::Timestamp;

/// A number with as many digits as it takes, and thousands apart.
pub(super) fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 || (size - size.round()).abs() < 1e-9 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        size if size >= 0.1 => 3,
        _ => 5,
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    grouped(if text == "-0" { "0" } else { text })
}

/// With so many digits after the point, and thousands apart.
pub(super) fn fixed(value: f64, digits: usize) -> String {
    grouped(&format!("{value:.digits$}"))
}

fn grouped(text: &str) -> String {
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("−", digits));
    let mut out = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

/// A share as a percentage with its sign.
pub(super) fn signed_percent(share: f64) -> String {
    let text = format!("{:+.1} %", share * 100.0);
    text.replace('-', "−")
}

/// `Mon 2`, of minutes since 1970.
pub(super) fn day(minutes: f64) -> String {
    instant(minutes).strftime("%a %-d").to_string()
}

/// `14:30`, of minutes since 1970.
pub(super) fn time_of_day(minutes: f64) -> String {
    instant(minutes).strftime("%H:%M").to_string()
}

/// `2026-11-02 14:30 UTC`.
pub(super) fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// `2026-11-02`.
pub(super) fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// `1 minute`, `2 minutes`.
pub(super) fn plural(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{} {what}s", grouped(&count.to_string())) }
}

fn instant(minutes: f64) -> Timestamp {
    Timestamp::from_second((minutes * 60.0) as i64).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Minutes since 1970.
pub(super) fn minutes_of(at: Timestamp) -> f64 {
    at.as_second() as f64 / 60.0
}
