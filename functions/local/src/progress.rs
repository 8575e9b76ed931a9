//! Signs of life of long work: a bar on a terminal, elsewhere a line now and then.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use pipeline::sweep::{Progress, Seldom};

/// A bar that appears once the work has taken a moment.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(0).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Tells on standard error how far work is.
pub(crate) enum Teller {
    /// To somebody who watches.
    Bar(ProgressBar),
    /// To a file, which should not get long. What is quick is not told at all.
    Lines(Seldom, Instant),
}

impl Teller {
    /// As standard error is.
    pub(crate) fn new() -> Self {
        if io::stderr().is_terminal() {
            Self::Bar(bar())
        } else {
            Self::Lines(Seldom::default(), Instant::now())
        }
    }

    pub(crate) fn told(&self, progress: Progress) {
        match self {
            Self::Bar(bar) => {
                bar.set_message(progress.doing);
                bar.set_length(progress.of as u64);
                bar.set_position(progress.done as u64);
            }
            Self::Lines(seldom, began) => {
                if let Some(line) = line(seldom, began.elapsed(), progress) {
                    // Whoever reads standard error may be gone; that is no reason to fail.
                    let _said = writeln!(io::stderr(), "{line}");
                }
            }
        }
    }

    /// Leaves nothing of a bar.
    pub(crate) fn end(self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// What to say so long after the beginning, if it is time.
fn line(seldom: &Seldom, elapsed: Duration, progress: Progress) -> Option<String> {
    seldom.is_due(elapsed).then(|| format!("{progress}, after {} seconds", elapsed.as_secs()))
}

/// A sign of life on standard error while something without steps lasts.
pub(crate) fn waiting(what: &'static str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(what);
    spinner.enable_steady_tick(std::time::Duration::from_millis(100));
    spinner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quick_is_not_told_and_the_rest_in_few_lines() {
        let seldom = Seldom::default();
        let told = |seconds, done| {
            let progress = Progress { doing: "replaying policies", done, of: 1_333_170 };
            line(&seldom, Duration::from_secs(seconds), progress)
        };
        assert_eq!((told(1, 900), told(29, 26_000)), (None, None));
        let said = "replaying policies: 27,004 of 1,333,170 settings, after 31 seconds";
        assert_eq!(told(31, 27_004).as_deref(), Some(said));
        assert_eq!(told(59, 50_000), None);
        assert!(told(61, 52_000).is_some());
    }
}
