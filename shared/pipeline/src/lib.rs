//! What happens: the four stages, the archive they share and its tables.
//!
//! [`ingest`], [`refit`], [`mod@sweep`] and [`publish`] each read, compute and write; what one leaves in the
//! [`archive`], as a table of [`tables`] or a document of [`documents`], the next one reads through [`store`].
//! [`fetch`] asks AWS through the ports of [`source`], for the environments of a [`fleet`];
//! [`recorded`] reads what others have exported; [`advice`] is what a person reads in the end,
//! [`check`] judges settings alone, and [`load_test`] hands traffic on to load testers. Nothing here
//! asks for the time: "now" is part of a request.

pub mod activity;
pub mod advice;
pub mod archive;
pub mod causes;
pub mod chat;
pub mod check;
pub mod documents;
pub mod envelope;
pub mod fetch;
pub mod fill;
pub mod fleet;
mod hex;
pub mod ingest;
pub mod load_test;
pub mod news;
pub mod paste;
mod proof;
pub mod publish;
pub mod recorded;
pub mod refit;
pub mod refusals;
pub mod report;
pub mod service;
pub mod source;
pub mod spending;
pub mod store;
pub mod sweep;
pub mod tables;
pub mod values;
