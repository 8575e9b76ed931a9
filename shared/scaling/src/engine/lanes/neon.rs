//! 16 lanes: what every 64-bit Arm processor has.

#![expect(unsafe_code, reason = "the instructions of a processor; see the argument in the module above")]

use std::arch::aarch64::*;

use super::{Job, Lanes, first, first_mut};

/// Proof that the processor has NEON.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Neon(());

impl Neon {
    pub(in crate::engine) fn detected() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Self(()))
    }

    #[inline(always)]
    fn rows(table: &[u8; 64]) -> uint8x16x4_t {
        unsafe { vld1q_u8_x4(table.as_ptr()) }
    }

    #[inline(always)]
    fn mul_high(a: uint16x8_t, b: uint16x8_t) -> uint16x8_t {
        unsafe {
            let first = vreinterpretq_u16_u32(vmull_u16(vget_low_u16(a), vget_low_u16(b)));
            vuzp2q_u16(first, vreinterpretq_u16_u32(vmull_high_u16(a, b)))
        }
    }
}

impl Lanes for Neon {
    const WIDTH: usize = 16;
    type Vector = uint8x16_t;
    /// 255 for yes, 0 for no.
    type Mask = uint8x16_t;
    type Words = (uint16x8_t, uint16x8_t);

    fn run(self, job: impl Job) {
        #[target_feature(enable = "neon")]
        fn run(lanes: Neon, job: impl Job) {
            job.run(lanes);
        }
        unsafe { run(self, job) }
    }

    #[inline(always)]
    fn splat(self, byte: u8) -> uint8x16_t {
        unsafe { vdupq_n_u8(byte) }
    }

    #[inline(always)]
    fn load(self, bytes: &[u8]) -> uint8x16_t {
        unsafe { vld1q_u8(first::<16>(bytes).as_ptr()) }
    }

    #[inline(always)]
    fn store(self, vector: uint8x16_t, bytes: &mut [u8]) {
        unsafe { vst1q_u8(first_mut::<16>(bytes).as_mut_ptr(), vector) }
    }

    #[inline(always)]
    fn add(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        unsafe { vaddq_u8(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        unsafe { vsubq_u8(a, b) }
    }

    #[inline(always)]
    fn sub_saturating(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        unsafe { vqsubq_u8(a, b) }
    }

    #[inline(always)]
    fn min(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        unsafe { vminq_u8(a, b) }
    }

    #[inline(always)]
    fn max(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        unsafe { vmaxq_u8(a, b) }
    }

    #[inline(always)]
    fn le(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        unsafe { vcleq_u8(a, b) }
    }

    #[inline(always)]
    fn eq(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        unsafe { vceqq_u8(a, b) }
    }

    #[inline(always)]
    fn and(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        unsafe { vandq_u8(a, b) }
    }

    #[inline(always)]
    fn or(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        unsafe { vorrq_u8(a, b) }
    }

    #[inline(always)]
    fn and_not(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        unsafe { vbicq_u8(a, b) }
    }

    #[inline(always)]
    fn some(self, among: uint8x16_t, vector: uint8x16_t) -> uint8x16_t {
        unsafe { vandq_u8(among, vtstq_u8(vector, vector)) }
    }

    #[inline(always)]
    fn any(self, mask: uint8x16_t) -> bool {
        unsafe { vmaxvq_u8(mask) != 0 }
    }

    #[inline(always)]
    fn bits(self, mask: uint8x16_t) -> u128 {
        let weights: [u8; 16] = std::array::from_fn(|lane| 1 << (lane % 8));
        unsafe {
            let weighed = vandq_u8(mask, vld1q_u8(weights.as_ptr()));
            u128::from(vaddv_u8(vget_low_u8(weighed))) | u128::from(vaddv_u8(vget_high_u8(weighed))) << 8
        }
    }

    #[inline(always)]
    fn mask(self, bits: u128) -> uint8x16_t {
        let lanes: [u8; 16] = std::array::from_fn(|lane| if bits >> lane & 1 == 1 { 255 } else { 0 });
        unsafe { vld1q_u8(lanes.as_ptr()) }
    }

    #[inline(always)]
    fn keep(self, mask: uint8x16_t, vector: uint8x16_t) -> uint8x16_t {
        self.and(mask, vector)
    }

    #[inline(always)]
    fn select(self, mask: uint8x16_t, yes: uint8x16_t, no: uint8x16_t) -> uint8x16_t {
        unsafe { vbslq_u8(mask, yes, no) }
    }

    #[inline(always)]
    fn count(self, vector: uint8x16_t, mask: uint8x16_t) -> uint8x16_t {
        self.sub(vector, mask)
    }

    #[inline(always)]
    fn words(self, low: uint8x16_t, high: uint8x16_t) -> Self::Words {
        unsafe { (vreinterpretq_u16_u8(vzip1q_u8(low, high)), vreinterpretq_u16_u8(vzip2q_u8(low, high))) }
    }

    #[inline(always)]
    fn add_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        unsafe { (vaddq_u16(a.0, b.0), vaddq_u16(a.1, b.1)) }
    }

    #[inline(always)]
    fn sub_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        unsafe { (vsubq_u16(a.0, b.0), vsubq_u16(a.1, b.1)) }
    }

    #[inline(always)]
    fn mul_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        unsafe { (vmulq_u16(a.0, b.0), vmulq_u16(a.1, b.1)) }
    }

    #[inline(always)]
    fn mul_high_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        (Self::mul_high(a.0, b.0), Self::mul_high(a.1, b.1))
    }

    #[inline(always)]
    fn excess(self, a: Self::Words, b: Self::Words) -> uint8x16_t {
        unsafe { vqmovn_high_u16(vqmovn_u16(vqsubq_u16(a.0, b.0)), vqsubq_u16(a.1, b.1)) }
    }

    #[inline(always)]
    fn lookup16(self, table: &[u8; 16], index: uint8x16_t) -> uint8x16_t {
        unsafe { vqtbl1q_u8(vld1q_u8(table.as_ptr()), index) }
    }

    #[inline(always)]
    fn lookup64(self, table: &[u8; 64], index: uint8x16_t) -> uint8x16_t {
        unsafe { vqtbl4q_u8(Self::rows(table), index) }
    }

    /// An index beyond the second half leaves what the first gave.
    #[inline(always)]
    fn lookup128(self, table: &[u8; 128], index: uint8x16_t) -> uint8x16_t {
        let (halves, _) = table.as_chunks::<64>();
        let in_second = self.sub(index, self.splat(64));
        unsafe { vqtbx4q_u8(self.lookup64(&halves[0], index), Self::rows(&halves[1]), in_second) }
    }

    /// An index beyond a quarter leaves what the quarters before gave.
    #[inline(always)]
    fn lookup256(self, table: &[u8; 256], index: uint8x16_t) -> uint8x16_t {
        let (quarters, _) = table.as_chunks::<64>();
        let first = self.lookup64(&quarters[0], index);
        quarters[1..].iter().zip([64, 128, 192]).fold(first, |found, (quarter, start)| {
            let index = self.sub(index, self.splat(start));
            unsafe { vqtbx4q_u8(found, Self::rows(quarter), index) }
        })
    }
}
