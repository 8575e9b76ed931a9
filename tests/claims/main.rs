//! How we know: one binary, a module for each theme.
