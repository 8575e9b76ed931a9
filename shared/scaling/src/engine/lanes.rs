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
    /// `among`, where `vector` is not 0.
    fn some(self, among: Self::Mask, vector: Self::Vector) -> Self::Mask;
    fn any(self, mask: Self::Mask) -> bool;
    /// A bit for each lane, the first one lowest.
    fn bits(self, mask: Self::Mask) -> u128;
    /// The opposite of [`Lanes::bits`].
    fn mask(self, bits: u128) -> Self::Mask;
    /// `vector` where the mask says yes, 0 elsewhere.
    fn keep(self, mask: Self::Mask, vector: Self::Vector) -> Self::Vector;
    /// `yes` where the mask says so, `no` elsewhere.
    fn select(self, mask: Self::Mask, yes: Self::Vector, no: Self::Vector) -> Self::Vector;
    /// One more where the mask says yes; no lane has 255 yet.
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
    /// `a - b`, 0 at least and 255 at most.
    fn excess(self, a: Self::Words, b: Self::Words) -> Self::Vector;
    /// The byte of `table` that each lane names, all of which are below 16.
    fn lookup16(self, table: &[u8; 16], index: Self::Vector) -> Self::Vector;
    /// The byte of `table` that each lane names, all of which are below 64.
    fn lookup64(self, table: &[u8; 64], index: Self::Vector) -> Self::Vector;
    /// The byte of `table` that each lane names, all of which are below 128.
    fn lookup128(self, table: &[u8; 128], index: Self::Vector) -> Self::Vector;
    /// The byte of `table` that each lane names.
    fn lookup256(self, table: &[u8; 256], index: Self::Vector) -> Self::Vector;

    /// Adds to each of 16 sums the entry of `table` that its lane names, all of which are below 16.
    #[inline(always)]
    fn add_wide(self, sums: &mut [u32; 16], table: &[u32; 16], index: &[u8; 16]) {
        for (sum, index) in sums.iter_mut().zip(index) {
            *sum += table[usize::from(*index) % 16];
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Every operation on four vectors, lane by lane against what it is said to be.
    struct Check<'a> {
        given: &'a [[u8; MOST]; 4],
        table: &'a [u8; 256],
    }

    impl Check<'_> {
        #[inline(always)]
        fn bytes<L: Lanes>(&self, lanes: L) {
            let [a, b, c, d] = self.given;
            let [x, y, z, w] = self.given.each_ref().map(|bytes| lanes.load(bytes));
            is(lanes, lanes.splat(a[0]), |_| a[0]);
            is(lanes, lanes.add(x, y), |lane| a[lane].wrapping_add(b[lane]));
            is(lanes, lanes.sub(x, y), |lane| a[lane].wrapping_sub(b[lane]));
            is(lanes, lanes.sub_saturating(x, y), |lane| a[lane].saturating_sub(b[lane]));
            is(lanes, lanes.min(x, y), |lane| a[lane].min(b[lane]));
            is(lanes, lanes.max(x, y), |lane| a[lane].max(b[lane]));
            let le = lanes.le(x, y);
            is(lanes, lanes.keep(le, z), |lane| if a[lane] <= b[lane] { c[lane] } else { 0 });
            is(lanes, lanes.select(le, z, w), |lane| if a[lane] <= b[lane] { c[lane] } else { d[lane] });
            let some = lanes.min(z, lanes.splat(254));
            is(lanes, lanes.count(some, le), |lane| c[lane].min(254) + u8::from(a[lane] <= b[lane]));
            for (width, found) in [
                (16, lanes.lookup::<16>(&self.table[..16], lanes.min(x, lanes.splat(15)))),
                (64, lanes.lookup::<64>(&self.table[..64], lanes.min(x, lanes.splat(63)))),
                (128, lanes.lookup128(first(self.table), lanes.min(x, lanes.splat(127)))),
                (256, lanes.lookup::<256>(self.table, x)),
            ] {
                is(lanes, found, |lane| self.table[usize::from(a[lane]).min(width - 1)]);
            }
        }

        #[inline(always)]
        fn masks<L: Lanes>(&self, lanes: L) {
            let [a, b, ..] = self.given;
            let [x, y, ..] = self.given.each_ref().map(|bytes| lanes.load(bytes));
            let few = |bytes: &[u8; MOST], lane: usize| bytes[lane].min(2);
            let (le, eq) =
                (lanes.le(x, y), lanes.eq(lanes.min(x, lanes.splat(2)), lanes.min(y, lanes.splat(2))));
            let all = u128::MAX >> (MOST - L::WIDTH);
            for (mask, expected) in [
                (lanes.and(le, eq), bits::<L>(|lane| a[lane] <= b[lane] && few(a, lane) == few(b, lane))),
                (lanes.or(le, eq), bits::<L>(|lane| a[lane] <= b[lane] || few(a, lane) == few(b, lane))),
                (lanes.and_not(eq, le), bits::<L>(|lane| few(a, lane) == few(b, lane) && b[lane] < a[lane])),
                (lanes.some(le, y), bits::<L>(|lane| a[lane] <= b[lane] && b[lane] != 0)),
            ] {
                assert_eq!(lanes.bits(mask), expected);
                assert_eq!(lanes.bits(lanes.mask(expected)), expected);
                assert_eq!(lanes.any(mask), expected != 0);
            }
            assert_eq!(lanes.bits(lanes.mask(u128::MAX)) & all, all);
            assert!(!lanes.any(lanes.mask(0)));
        }

        #[inline(always)]
        fn words<L: Lanes>(&self, lanes: L) {
            let word = |low: usize, lane: usize| {
                u16::from_le_bytes([self.given[low][lane], self.given[low + 1][lane]])
            };
            let [x, y, z, w] = self.given.each_ref().map(|bytes| lanes.load(bytes));
            let (first, second) = (lanes.words(x, y), lanes.words(z, w));
            are(lanes, first, |lane| word(0, lane));
            are(lanes, lanes.add_words(first, second), |lane| word(0, lane).wrapping_add(word(2, lane)));
            are(lanes, lanes.sub_words(first, second), |lane| word(0, lane).wrapping_sub(word(2, lane)));
            are(lanes, lanes.mul_words(first, second), |lane| word(0, lane).wrapping_mul(word(2, lane)));
            are(lanes, lanes.mul_high_words(first, second), |lane| {
                ((u32::from(word(0, lane)) * u32::from(word(2, lane))) >> 16) as u16
            });
            let excess = |lane: usize| word(0, lane).saturating_sub(word(2, lane)).min(255) as u8;
            is(lanes, lanes.excess(first, second), excess);
            let few_more = lanes.add_words(second, lanes.words(x, lanes.splat(0)));
            let few = |lane: usize| self.given[0][lane];
            let wraps = |lane: usize| word(2, lane).checked_add(few(lane).into()).is_none();
            is(lanes, lanes.excess(few_more, second), |lane| if wraps(lane) { 0 } else { few(lane) });
        }
    }

    impl Job for Check<'_> {
        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) {
            self.bytes(lanes);
            self.masks(lanes);
            self.words(lanes);
        }
    }

    #[track_caller]
    fn is<L: Lanes>(lanes: L, vector: L::Vector, expected: impl Fn(usize) -> u8) {
        let mut found = Bytes::ZERO;
        lanes.store(vector, &mut found.0);
        assert_eq!(found.0[..L::WIDTH], (0..L::WIDTH).map(expected).collect::<Vec<_>>());
    }

    /// What is neither more nor less is the same.
    #[track_caller]
    fn are<L: Lanes>(lanes: L, words: L::Words, expected: impl Fn(usize) -> u16) {
        let byte = |of: usize| Bytes(std::array::from_fn(|lane| expected(lane).to_le_bytes()[of]));
        let expected = lanes.words(lanes.load(&byte(0).0), lanes.load(&byte(1).0));
        is(lanes, lanes.excess(words, expected), |_| 0);
        is(lanes, lanes.excess(expected, words), |_| 0);
    }

    fn bits<L: Lanes>(is_set: impl Fn(usize) -> bool) -> u128 {
        (0..L::WIDTH).fold(0, |bits, lane| bits | u128::from(is_set(lane)) << lane)
    }

    #[test]
    fn every_processor_does_what_operations_are_said_to_do() {
        let mut seed = 7_u64;
        let mut random = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Often one of the values that limits lie at.
            if seed >> 61 == 0 {
                [0, 1, 2, 15, 127, 128, 254, 255][(seed >> 58 & 7) as usize]
            } else {
                (seed >> 40) as u8
            }
        };
        for _ in 0..500 {
            let given = std::array::from_fn(|_| std::array::from_fn(|_| random()));
            let table = std::array::from_fn(|_| random());
            for isa in Isa::available() {
                isa.run(Check { given: &given, table: &table });
            }
        }
    }
}
