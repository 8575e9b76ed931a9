//! The `trellis` command.
fn main() {}
