//! What happens: the four stages, the archive they share and its tables.
