//! What the four functions share: an event in, a report out, logs and metrics beside it.
//!
//! [`event`] checks what comes in, one module a stage turns it into requests of `pipeline` and its reports into an
//! answer, [`fleet`] does that for one environment after the other, [`failure`] names errors so that a state
//! machine knows which of them pass, and [`serve`] is the only place that knows the Lambda runtime.

pub mod config;
pub mod event;
pub mod failure;
pub mod fleet;
pub mod ingest;
mod measure;
pub mod publish;
mod recent;
pub mod refit;
pub mod serve;
pub mod sweep;
