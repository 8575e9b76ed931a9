//! What standard output is: how wide, and whether it shows colours. Text for a file or another program has neither.

use std::io;

use anstyle::{AnsiColor, Style};
use pipeline::advice::{self, Message};

/// Where text is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    /// Columns, where there are any.
    pub(crate) width: Option<u16>,
    styled: bool,
}

impl Terminal {
    /// Standard output, as the variables have it: `COLUMNS`, and by way of its library `NO_COLOR`, `CLICOLOR_FORCE` and `TERM`.
    pub(crate) fn of_output() -> Self {
        #[expect(clippy::disallowed_methods, reason = "part of the entry point")]
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let measured = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0);
        let styled = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        Self { width: columns.or(measured).filter(|width| 0 < *width), styled }
    }

    fn shown(self, style: Style, text: &str) -> String {
        if self.styled { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Text that matters most.
    pub(crate) fn bold(self, text: &str) -> String {
        self.shown(Style::new().bold(), text)
    }

    /// A paragraph in lines that fit.
    pub(crate) fn fitted(self, paragraph: &str) -> String {
        let fitted = |width| advice::fitted(paragraph, usize::from(width));
        self.width.map_or_else(|| paragraph.to_owned(), fitted)
    }

    /// A message, its headings in bold and its warnings in colour.
    pub(crate) fn message(self, Message { subject, body }: &Message) -> String {
        format!("{}\n\n{}", self.bold(&format!("Subject: {subject}")), self.body(body))
    }

    /// The text of a message.
    pub(crate) fn body(self, body: &str) -> String {
        let lines: Vec<String> = body.lines().map(|line| self.line(line)).collect();
        lines.join("\n") + "\n"
    }

    fn line(self, line: &str) -> String {
        const WARNING: Style = AnsiColor::Yellow.on_default().bold();
        let heading = HEADINGS.iter().find(|heading| line.starts_with(**heading));
        match heading {
            Some(heading) => {
                let style = if *heading == "Warning:" { WARNING } else { Style::new().bold() };
                format!("{}{}", self.shown(style, heading), &line[heading.len()..])
            }
            None => line.to_owned(),
        }
    }
}

/// What paragraphs of a message begin with.
const HEADINGS: [&str; 13] = [
    "Warning:",
    "What to watch:",
    "How to apply:",
    "How to undo:",
    "Why:",
    "Why",
    "What would help:",
    "CPU credits:",
    "Beyond this record:",
    "To choose:",
    "For comparison:",
    "How sure:",
    "Back-test",
];
