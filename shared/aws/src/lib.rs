//! With whom: the ports of `pipeline`, met by the AWS SDK. No type of the SDK leaves this crate.
//!
//! [`connection`] finds Region and credentials once; [`s3`] is the archive, [`cloudwatch`] the metrics,
//! [`environments`] Elastic Beanstalk with EC2 Auto Scaling, [`sns`] the readers. What a failed call means is told
//! in one place, so that whoever reads an error knows which action was in question and what helps.

mod calls;
pub mod cloudwatch;
pub mod connection;
pub mod environments;
pub mod s3;
pub mod sns;
#[cfg(test)]
mod wire;
