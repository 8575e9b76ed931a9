//! Two vectors as one: while one waits for a result, the other works, and what is done once for a vector is done half as
//! often.

use super::{Job, Lanes};

/// Twice the lanes.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Twice<L>(pub(in crate::engine) L);

type Pair<T> = (T, T);

impl<L: Lanes> Lanes for Twice<L> {
    const WIDTH: usize = 2 * L::WIDTH;
    type Vector = Pair<L::Vector>;
    type Mask = Pair<L::Mask>;
    type Words = Pair<L::Words>;

    fn run(self, job: impl Job) {
        struct AsTwice<J>(J);
        impl<J: Job> Job for AsTwice<J> {
            #[inline(always)]
            fn run<L: Lanes>(self, lanes: L) {
                self.0.run(Twice(lanes));
            }
        }
        self.0.run(AsTwice(job));
    }

    #[inline(always)]
    fn splat(self, byte: u8) -> Self::Vector {
        (self.0.splat(byte), self.0.splat(byte))
    }

    #[inline(always)]
    fn load(self, bytes: &[u8]) -> Self::Vector {
        (self.0.load(bytes), self.0.load(&bytes[L::WIDTH..]))
    }

    #[inline(always)]
    fn store(self, vector: Self::Vector, bytes: &mut [u8]) {
        self.0.store(vector.0, bytes);
        self.0.store(vector.1, &mut bytes[L::WIDTH..]);
    }

    #[inline(always)]
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        (self.0.add(a.0, b.0), self.0.add(a.1, b.1))
    }

    #[inline(always)]
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        (self.0.sub(a.0, b.0), self.0.sub(a.1, b.1))
    }

    #[inline(always)]
    fn sub_saturating(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        (self.0.sub_saturating(a.0, b.0), self.0.sub_saturating(a.1, b.1))
    }

    #[inline(always)]
    fn min(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        (self.0.min(a.0, b.0), self.0.min(a.1, b.1))
    }

    #[inline(always)]
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        (self.0.max(a.0, b.0), self.0.max(a.1, b.1))
    }

    #[inline(always)]
    fn le(self, a: Self::Vector, b: Self::Vector) -> Self::Mask {
        (self.0.le(a.0, b.0), self.0.le(a.1, b.1))
    }

    #[inline(always)]
    fn eq(self, a: Self::Vector, b: Self::Vector) -> Self::Mask {
        (self.0.eq(a.0, b.0), self.0.eq(a.1, b.1))
    }

    #[inline(always)]
    fn and(self, a: Self::Mask, b: Self::Mask) -> Self::Mask {
        (self.0.and(a.0, b.0), self.0.and(a.1, b.1))
    }

    #[inline(always)]
    fn or(self, a: Self::Mask, b: Self::Mask) -> Self::Mask {
        (self.0.or(a.0, b.0), self.0.or(a.1, b.1))
    }

    #[inline(always)]
    fn and_not(self, a: Self::Mask, b: Self::Mask) -> Self::Mask {
        (self.0.and_not(a.0, b.0), self.0.and_not(a.1, b.1))
    }

    #[inline(always)]
    fn some(self, among: Self::Mask, vector: Self::Vector) -> Self::Mask {
        (self.0.some(among.0, vector.0), self.0.some(among.1, vector.1))
    }

    #[inline(always)]
    fn any(self, mask: Self::Mask) -> bool {
        self.0.any(self.0.or(mask.0, mask.1))
    }

    #[inline(always)]
    fn bits(self, mask: Self::Mask) -> u128 {
        self.0.bits(mask.0) | self.0.bits(mask.1) << L::WIDTH
    }

    #[inline(always)]
    fn mask(self, bits: u128) -> Self::Mask {
        (self.0.mask(bits), self.0.mask(bits >> L::WIDTH))
    }

    #[inline(always)]
    fn keep(self, mask: Self::Mask, vector: Self::Vector) -> Self::Vector {
        (self.0.keep(mask.0, vector.0), self.0.keep(mask.1, vector.1))
    }

    #[inline(always)]
    fn select(self, mask: Self::Mask, yes: Self::Vector, no: Self::Vector) -> Self::Vector {
        (self.0.select(mask.0, yes.0, no.0), self.0.select(mask.1, yes.1, no.1))
    }

    #[inline(always)]
    fn count(self, vector: Self::Vector, mask: Self::Mask) -> Self::Vector {
        (self.0.count(vector.0, mask.0), self.0.count(vector.1, mask.1))
    }

    #[inline(always)]
    fn words(self, low: Self::Vector, high: Self::Vector) -> Self::Words {
        (self.0.words(low.0, high.0), self.0.words(low.1, high.1))
    }

    #[inline(always)]
    fn add_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        (self.0.add_words(a.0, b.0), self.0.add_words(a.1, b.1))
    }

    #[inline(always)]
    fn sub_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        (self.0.sub_words(a.0, b.0), self.0.sub_words(a.1, b.1))
    }

    #[inline(always)]
    fn mul_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        (self.0.mul_words(a.0, b.0), self.0.mul_words(a.1, b.1))
    }

    #[inline(always)]
    fn mul_high_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        (self.0.mul_high_words(a.0, b.0), self.0.mul_high_words(a.1, b.1))
    }

    #[inline(always)]
    fn excess(self, a: Self::Words, b: Self::Words) -> Self::Vector {
        (self.0.excess(a.0, b.0), self.0.excess(a.1, b.1))
    }

    #[inline(always)]
    fn lookup16(self, table: &[u8; 16], index: Self::Vector) -> Self::Vector {
        (self.0.lookup16(table, index.0), self.0.lookup16(table, index.1))
    }

    #[inline(always)]
    fn lookup64(self, table: &[u8; 64], index: Self::Vector) -> Self::Vector {
        (self.0.lookup64(table, index.0), self.0.lookup64(table, index.1))
    }

    #[inline(always)]
    fn lookup128(self, table: &[u8; 128], index: Self::Vector) -> Self::Vector {
        (self.0.lookup128(table, index.0), self.0.lookup128(table, index.1))
    }

    #[inline(always)]
    fn lookup256(self, table: &[u8; 256], index: Self::Vector) -> Self::Vector {
        (self.0.lookup256(table, index.0), self.0.lookup256(table, index.1))
    }

    #[inline(always)]
    fn add_wide(self, sums: &mut [u32; 16], table: &[u32; 16], index: &[u8; 16]) {
        self.0.add_wide(sums, table, index);
    }
}
