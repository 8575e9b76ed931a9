//! Bytes side by side: what the kernel asks of a processor, and nothing else.
//!
//! A lane is one pair of thresholds; a vector holds as many lanes as the processor works on at once. Every operation
//! is on unsigned bytes, each lane by itself, and gives the same bytes on every processor.
//!
//! # Safety
//!
//! The modules below are all the unsafe code there is, of three kinds. *Instructions*: a value of
//! `avx512::Avx512`, `avx2::Avx2` or `neon::Neon` exists only where the processor has them, since its constructor asks the
//! processor first. *Memory*: loads and stores go to arrays of 16 or 64 bytes whose
//! type says so, and need no alignment. *Bits*: vectors and arrays of bytes have no value that is invalid.

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512;
#[cfg(target_arch = "aarch64")]
pub(super) mod neon;
pub(super) mod portable;
pub(super) mod twice;

use twice::Twice;

/// Lanes of the widest vector; a narrower one uses the first few of as many bytes.
pub(super) const MOST: usize = 128;

/// A byte for each lane, in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub(super) struct Bytes(pub(super) [u8; MOST]);

impl Bytes {
    pub(super) const ZERO: Self = Self([0; MOST]);
}

/// Work that is written once for all processors.
pub(super) trait Job {
    /// Must be inlined, so that it is compiled for the processor of `lanes`.
    fn run<L: Lanes>(self, lanes: L);
}

/// The operations of a processor.
pub(super) trait Lanes: Copy {
    /// Lanes of a vector.
    const WIDTH: usize;
    /// A byte for each lane.
    type Vector: Copy;
    /// Yes or no for each lane.
    type Mask: Copy;
    /// Two bytes for each lane, in any order.
    type Words: Copy;

    /// Runs `job` with this processor's instructions.
    fn run(self, job: impl Job);

    fn splat(self, byte: u8) -> Self::Vector;
    /// The first of `bytes`, which must be enough.
    fn load(self, bytes: &[u8]) -> Self::Vector;
    /// To the first of `bytes`, which must be enough.
    fn store(self, vector: Self::Vector, bytes: &mut [u8]);
    /// `a + b`, wrapping.
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a - b`, wrapping.
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a - b`, 0 at least.
    fn sub_saturating(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn min(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a <= b`.
    fn le(self, a: Self::Vector, b: Self::Vector) -> Self::Mask;
    fn eq(self, a: Self::Vector, b: Self::Vector) -> Self::Mask;
    fn and(self, a: Self::Mask, b: Self::Mask) -> Self::Mask;
    fn or(self, a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// `a`, but not `b`.
    fn and_not(self, a: Self::Mask, b: Self::Mask) -> Self::Mask;
    fn any(self, mask: Self::Mask) -> bool;
    /// A bit for each lane, the first one lowest.
    fn bits(self, mask: Self::Mask) -> u128;
    /// The opposite of [`Lanes::bits`].
    fn mask(self, bits: u128) -> Self::Mask;
    /// `vector` where the mask says yes, 0 elsewhere.
    fn keep(self, mask: Self::Mask, vector: Self::Vector) -> Self::Vector;
    /// `yes` where the mask says so, `no` elsewhere.
    fn select(self, mask: Self::Mask, yes: Self::Vector, no: Self::Vector) -> Self::Vector;
    /// One more where the mask says yes.
    fn count(self, vector: Self::Vector, mask: Self::Mask) -> Self::Vector;
    fn words(self, low: Self::Vector, high: Self::Vector) -> Self::Words;
    /// `a + b`, wrapping.
    fn add_words(self, a: Self::Words, b: Self::Words) -> Self::Words;
    /// `a - b`, wrapping.
    fn sub_words(self, a: Self::Words, b: Self::Words) -> Self::Words;
    /// `a * b`, wrapping.
    fn mul_words(self, a: Self::Words, b: Self::Words) -> Self::Words;
    /// The upper two of the four bytes of `a * b`.
    fn mul_high_words(self, a: Self::Words, b: Self::Words) -> Self::Words;
    /// `a <= b`.
    fn le_words(self, a: Self::Words, b: Self::Words) -> Self::Mask;
    /// The byte of `table` that each lane names, all of which are below 16.
    fn lookup16(self, table: &[u8; 16], index: Self::Vector) -> Self::Vector;
    /// The byte of `table` that each lane names, all of which are below 64.
    fn lookup64(self, table: &[u8; 64], index: Self::Vector) -> Self::Vector;
    /// The byte of `table` that each lane names.
    fn lookup256(self, table: &[u8; 256], index: Self::Vector) -> Self::Vector;

    /// The entry of `table` that each of 16 lanes names.
    #[inline(always)]
    fn lookup_wide<const W: usize>(self, table: &[u32; W], index: &[u8; 16]) -> [u32; 16] {
        index.map(|index| table[usize::from(index) % W])
    }

    /// The byte of `table`, of 16, 64 or 256, that each lane names.
    #[inline(always)]
    fn lookup<const W: usize>(self, table: &[u8], index: Self::Vector) -> Self::Vector {
        const OF_ITS_WIDTH: &str = "a row has the width of its table";
        match W {
            16 => self.lookup16(table.try_into().expect(OF_ITS_WIDTH), index),
            64 => self.lookup64(table.try_into().expect(OF_ITS_WIDTH), index),
            _ => self.lookup256(table.try_into().expect(OF_ITS_WIDTH), index),
        }
    }
}

/// A processor's instructions, proven to be there.
#[derive(Debug, Clone, Copy)]
pub(super) enum Isa {
    #[cfg(target_arch = "x86_64")]
    Avx512(Twice<avx512::Avx512>),
    #[cfg(target_arch = "x86_64")]
    Avx2(Twice<avx2::Avx2>),
    #[cfg(target_arch = "aarch64")]
    Neon(Twice<neon::Neon>),
    Portable(portable::Portable),
}

impl Isa {
    /// All that this processor has, the fastest first.
    pub(super) fn available() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        let own = [
            avx512::Avx512::detected().map(|own| Self::Avx512(Twice(own))),
            avx2::Avx2::detected().map(|own| Self::Avx2(Twice(own))),
        ];
        #[cfg(target_arch = "aarch64")]
        let own = [neon::Neon::detected().map(|own| Self::Neon(Twice(own)))];
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let own: [Option<Self>; 0] = [];
        own.into_iter().flatten().chain([Self::Portable(portable::Portable)]).collect()
    }

    /// Lanes of a vector.
    pub(super) fn width(self) -> usize {
        fn of<L: Lanes>(_: L) -> usize {
            L::WIDTH
        }
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(lanes) => of(lanes),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(lanes) => of(lanes),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(lanes) => of(lanes),
            Self::Portable(lanes) => of(lanes),
        }
    }

    /// Runs `job` with its instructions.
    pub(super) fn run(self, job: impl Job) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(lanes) => lanes.run(job),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(lanes) => lanes.run(job),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(lanes) => lanes.run(job),
            Self::Portable(lanes) => lanes.run(job),
        }
    }
}

/// The first bytes, as many as a vector has.
#[inline(always)]
fn first<const N: usize>(bytes: &[u8]) -> &[u8; N] {
    bytes.first_chunk().expect("there are as many bytes as lanes")
}

/// The first bytes, as many as a vector has.
#[inline(always)]
fn first_mut<const N: usize>(bytes: &mut [u8]) -> &mut [u8; N] {
    bytes.first_chunk_mut().expect("there are as many bytes as lanes")
}
