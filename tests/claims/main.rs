//! How we know: one binary, a module for each theme.

#![expect(clippy::unwrap_used, reason = "a test that meets an error fails, and exact values are its claim")]

mod agreement;
mod alarms;
mod policies;
mod talk;
mod worked_examples;
