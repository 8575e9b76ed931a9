//! The same without instructions of any one processor: bytes in an array.

use super::{Job, Lanes, first, first_mut};

const WIDTH: usize = 32;

/// Any processor.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Portable;

type Array = [u8; WIDTH];

#[inline(always)]
fn each(a: Array, b: Array, of: impl Fn(u8, u8) -> u8) -> Array {
    std::array::from_fn(|lane| of(a[lane], b[lane]))
}

impl Lanes for Portable {
    const WIDTH: usize = WIDTH;
    type Vector = Array;
    /// 255 for yes, 0 for no.
    type Mask = Array;
    type Words = [u16; WIDTH];

    fn run(self, job: impl Job) {
        job.run(self);
    }

    #[inline(always)]
    fn splat(self, byte: u8) -> Array {
        [byte; WIDTH]
    }

    #[inline(always)]
    fn load(self, bytes: &[u8]) -> Array {
        *first(bytes)
    }

    #[inline(always)]
    fn store(self, vector: Array, bytes: &mut [u8]) {
        *first_mut(bytes) = vector;
    }

    #[inline(always)]
    fn add(self, a: Array, b: Array) -> Array {
        each(a, b, u8::wrapping_add)
    }

    #[inline(always)]
    fn sub(self, a: Array, b: Array) -> Array {
        each(a, b, u8::wrapping_sub)
    }

    #[inline(always)]
    fn sub_saturating(self, a: Array, b: Array) -> Array {
        each(a, b, u8::saturating_sub)
    }

    #[inline(always)]
    fn min(self, a: Array, b: Array) -> Array {
        each(a, b, u8::min)
    }

    #[inline(always)]
    fn max(self, a: Array, b: Array) -> Array {
        each(a, b, u8::max)
    }

    #[inline(always)]
    fn le(self, a: Array, b: Array) -> Array {
        each(a, b, |a, b| if a <= b { 255 } else { 0 })
    }

    #[inline(always)]
    fn eq(self, a: Array, b: Array) -> Array {
        each(a, b, |a, b| if a == b { 255 } else { 0 })
    }

    #[inline(always)]
    fn and(self, a: Array, b: Array) -> Array {
        each(a, b, |a, b| a & b)
    }

    #[inline(always)]
    fn or(self, a: Array, b: Array) -> Array {
        each(a, b, |a, b| a | b)
    }

    #[inline(always)]
    fn and_not(self, a: Array, b: Array) -> Array {
        each(a, b, |a, b| a & !b)
    }

    #[inline(always)]
    fn some(self, among: Array, vector: Array) -> Array {
        each(among, vector, |among, byte| if byte == 0 { 0 } else { among })
    }

    #[inline(always)]
    fn any(self, mask: Array) -> bool {
        mask.iter().fold(0, |all, lane| all | lane) != 0
    }

    #[inline(always)]
    fn bits(self, mask: Array) -> u128 {
        mask.iter().enumerate().fold(0, |bits, (lane, yes)| bits | u128::from(yes & 1) << lane)
    }

    #[inline(always)]
    fn mask(self, bits: u128) -> Array {
        std::array::from_fn(|lane| if bits >> lane & 1 == 1 { 255 } else { 0 })
    }

    #[inline(always)]
    fn keep(self, mask: Array, vector: Array) -> Array {
        each(mask, vector, |mask, byte| mask & byte)
    }

    #[inline(always)]
    fn select(self, mask: Array, yes: Array, no: Array) -> Array {
        std::array::from_fn(|lane| (mask[lane] & yes[lane]) | (!mask[lane] & no[lane]))
    }

    #[inline(always)]
    fn count(self, vector: Array, mask: Array) -> Array {
        each(vector, mask, u8::wrapping_sub)
    }

    #[inline(always)]
    fn words(self, low: Array, high: Array) -> Self::Words {
        std::array::from_fn(|lane| u16::from_le_bytes([low[lane], high[lane]]))
    }

    #[inline(always)]
    fn add_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        std::array::from_fn(|lane| a[lane].wrapping_add(b[lane]))
    }

    #[inline(always)]
    fn sub_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        std::array::from_fn(|lane| a[lane].wrapping_sub(b[lane]))
    }

    #[inline(always)]
    fn mul_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        std::array::from_fn(|lane| a[lane].wrapping_mul(b[lane]))
    }

    #[inline(always)]
    fn mul_high_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        std::array::from_fn(|lane| ((u32::from(a[lane]) * u32::from(b[lane])) >> 16) as u16)
    }

    #[inline(always)]
    fn excess(self, a: Self::Words, b: Self::Words) -> Array {
        std::array::from_fn(|lane| a[lane].saturating_sub(b[lane]).min(255) as u8)
    }

    #[inline(always)]
    fn lookup16(self, table: &[u8; 16], index: Array) -> Array {
        index.map(|index| table[usize::from(index & 15)])
    }

    #[inline(always)]
    fn lookup64(self, table: &[u8; 64], index: Array) -> Array {
        index.map(|index| table[usize::from(index & 63)])
    }

    #[inline(always)]
    fn lookup128(self, table: &[u8; 128], index: Array) -> Array {
        index.map(|index| table[usize::from(index & 127)])
    }

    #[inline(always)]
    fn lookup256(self, table: &[u8; 256], index: Array) -> Array {
        index.map(|index| table[usize::from(index)])
    }
}
