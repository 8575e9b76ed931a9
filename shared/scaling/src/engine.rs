//! Every plausible setting over weeks of minutes, exactly.
//!
//! [`mod@crate::reference`] says what happens, one setting at a time; here, settings that differ only in their thresholds
//! go through the minutes side by side, a byte for each. `ranks` turns CPU into bytes that compare with thresholds as
//! the numbers do, `trace` and `watch` work out once what all settings see, `kernel` is the hot loop, `lanes` the
//! processor's instructions, `bound` and `ratchet` what no setting can cost less than, and `reach` which settings do the
//! same. `space` says which settings there are, `walk` goes through them, `search` asks the questions, and `winners` is
//! what is kept.

mod bound;
mod kernel;
mod lanes;
mod ranks;
mod ratchet;
mod reach;
mod search;
mod space;
mod trace;
mod walk;
mod watch;
mod winners;

pub use search::Engine;
pub use space::{LeftOut, Space};
pub use winners::{Found, Scored};
