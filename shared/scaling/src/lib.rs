//! What is true: how Elastic Beanstalk scales an environment, what a request costs it in CPU, and which
//! settings are the cheapest that hold a ceiling. No file, network, clock, task or serializer.
//!
//! Reading order: [`units`] and [`sample`], the words.

pub mod sample;
pub mod units;
