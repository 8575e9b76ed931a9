//! What is true: how Elastic Beanstalk scales an environment, what a request costs it in CPU, and which
//! settings are the cheapest that hold a ceiling. No file, network, clock, task or serializer.
//!
//! Reading order: [`units`] and [`sample`] are the words; [`observation`], [`coefficient`] and [`cpu_model`]
//! find the cost of a request, [`latency`] the CPU at which users begin to wait; [`settings`], [`policy`], [`plan`], [`adjustment`], [`alarm`], [`dynamics`] and [`credits`]
//! are AWS's rules; [`traffic`] is what comes in, [`costless`] which of it shows nowhere, [`course`] and [`schedule`] what happens besides;
//! [`mod@reference`] replays it as plainly as possible and [`mod@simulate`] does the same fast; [`backtest`] holds
//! a replay against what really happened; [`mod@sweep`] says what is tried, [`engine`] replays all of it, [`light`] is what
//! a setting must hold in besides, [`recommendation`] chooses, [`walk_forward`] and [`resampled`] put the choice to other [`days`],
//! [`clairvoyant`] says what none can come below, [`daily`] what may help where none holds, [`frontier`] what minutes over buy, and [`judge`] what is odd about settings. [`talk`] keeps the rules of the talk beside AWS's.

pub mod adjustment;
pub mod alarm;
pub mod backtest;
pub mod clairvoyant;
pub mod coefficient;
pub mod costless;
pub mod course;
pub mod cpu_model;
pub mod credits;
pub mod daily;
pub mod days;
pub mod disturbance;
pub mod dynamics;
pub mod engine;
pub mod frontier;
pub mod judge;
pub mod latency;
pub mod light;
pub mod observation;
pub mod plan;
pub mod policy;
pub mod recommendation;
pub mod reference;
pub mod resampled;
pub mod sample;
pub mod schedule;
pub mod settings;
pub mod simulate;
pub mod sweep;
pub mod talk;
pub mod traffic;
pub mod units;
pub mod walk_forward;
