//! 32 lanes: what every x86-64 server since 2015 has.

#![expect(unsafe_code, reason = "the instructions of a processor; see the argument in the module above")]

use std::arch::x86_64::*;

use super::{Job, Lanes, first, first_mut};

/// Proof that the processor has AVX2.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Avx2(());

impl Avx2 {
    pub(in crate::engine) fn detected() -> Option<Self> {
        std::is_x86_feature_detected!("avx2").then_some(Self(()))
    }
}

// No closures here: they are compiled without the instructions where they are not inlined, and then every instruction is a
// call.
impl Lanes for Avx2 {
    const WIDTH: usize = 32;
    type Vector = __m256i;
    /// 255 for yes, 0 for no.
    type Mask = __m256i;
    type Words = (__m256i, __m256i);

    fn run(self, job: impl Job) {
        #[target_feature(enable = "avx2")]
        fn run(lanes: Avx2, job: impl Job) {
            job.run(lanes);
        }
        unsafe { run(self, job) }
    }

    #[inline(always)]
    fn splat(self, byte: u8) -> __m256i {
        unsafe { _mm256_set1_epi8(byte as i8) }
    }

    #[inline(always)]
    fn load(self, bytes: &[u8]) -> __m256i {
        unsafe { _mm256_loadu_si256(first::<32>(bytes).as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, vector: __m256i, bytes: &mut [u8]) {
        unsafe { _mm256_storeu_si256(first_mut::<32>(bytes).as_mut_ptr().cast(), vector) }
    }

    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_add_epi8(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_sub_epi8(a, b) }
    }

    #[inline(always)]
    fn sub_saturating(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_subs_epu8(a, b) }
    }

    #[inline(always)]
    fn min(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_min_epu8(a, b) }
    }

    #[inline(always)]
    fn max(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_max_epu8(a, b) }
    }

    #[inline(always)]
    fn le(self, a: __m256i, b: __m256i) -> __m256i {
        self.eq(self.min(a, b), a)
    }

    #[inline(always)]
    fn eq(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_cmpeq_epi8(a, b) }
    }

    #[inline(always)]
    fn and(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_and_si256(a, b) }
    }

    #[inline(always)]
    fn or(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_or_si256(a, b) }
    }

    #[inline(always)]
    fn and_not(self, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_andnot_si256(b, a) }
    }

    #[inline(always)]
    fn some(self, among: __m256i, vector: __m256i) -> __m256i {
        self.and_not(among, self.eq(vector, self.splat(0)))
    }

    #[inline(always)]
    fn any(self, mask: __m256i) -> bool {
        unsafe { _mm256_testz_si256(mask, mask) == 0 }
    }

    #[inline(always)]
    fn bits(self, mask: __m256i) -> u128 {
        unsafe { u128::from(_mm256_movemask_epi8(mask) as u32) }
    }

    /// Each byte of the bits goes to eight lanes, and each lane keeps one bit of it.
    #[inline(always)]
    fn mask(self, bits: u128) -> __m256i {
        unsafe {
            let byte_of_lane =
                _mm256_set_epi64x(0x0303_0303_0303_0303, 0x0202_0202_0202_0202, 0x0101_0101_0101_0101, 0);
            let bit_of_lane = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64 as i64);
            let bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(bits as u32 as i32), byte_of_lane);
            self.eq(_mm256_and_si256(bytes, bit_of_lane), bit_of_lane)
        }
    }

    #[inline(always)]
    fn keep(self, mask: __m256i, vector: __m256i) -> __m256i {
        self.and(mask, vector)
    }

    #[inline(always)]
    fn select(self, mask: __m256i, yes: __m256i, no: __m256i) -> __m256i {
        unsafe { _mm256_blendv_epi8(no, yes, mask) }
    }

    #[inline(always)]
    fn count(self, vector: __m256i, mask: __m256i) -> __m256i {
        self.sub(vector, mask)
    }

    #[inline(always)]
    fn words(self, low: __m256i, high: __m256i) -> Self::Words {
        unsafe { (_mm256_unpacklo_epi8(low, high), _mm256_unpackhi_epi8(low, high)) }
    }

    #[inline(always)]
    fn add_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        unsafe { (_mm256_add_epi16(a.0, b.0), _mm256_add_epi16(a.1, b.1)) }
    }

    #[inline(always)]
    fn sub_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        unsafe { (_mm256_sub_epi16(a.0, b.0), _mm256_sub_epi16(a.1, b.1)) }
    }

    #[inline(always)]
    fn mul_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        unsafe { (_mm256_mullo_epi16(a.0, b.0), _mm256_mullo_epi16(a.1, b.1)) }
    }

    #[inline(always)]
    fn mul_high_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        unsafe { (_mm256_mulhi_epu16(a.0, b.0), _mm256_mulhi_epu16(a.1, b.1)) }
    }

    #[inline(always)]
    fn excess(self, a: Self::Words, b: Self::Words) -> __m256i {
        unsafe {
            let most = _mm256_set1_epi16(255);
            let first = _mm256_min_epu16(_mm256_subs_epu16(a.0, b.0), most);
            let second = _mm256_min_epu16(_mm256_subs_epu16(a.1, b.1), most);
            _mm256_packus_epi16(first, second)
        }
    }

    #[inline(always)]
    fn lookup16(self, table: &[u8; 16], index: __m256i) -> __m256i {
        unsafe {
            _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast())), index)
        }
    }

    /// Four lookups by the low four bits; bits 4 and 5 choose among them.
    #[inline(always)]
    fn lookup64(self, table: &[u8; 64], index: __m256i) -> __m256i {
        let (quarters, _) = table.as_chunks::<16>();
        unsafe {
            let by_bit_4 = _mm256_slli_epi16::<3>(index);
            let by_bit_5 = _mm256_slli_epi16::<2>(index);
            let low =
                self.select(by_bit_4, self.lookup16(&quarters[1], index), self.lookup16(&quarters[0], index));
            let high =
                self.select(by_bit_4, self.lookup16(&quarters[3], index), self.lookup16(&quarters[2], index));
            self.select(by_bit_5, high, low)
        }
    }

    /// Two lookups by the low six bits; bit 6 chooses between them.
    #[inline(always)]
    fn lookup128(self, table: &[u8; 128], index: __m256i) -> __m256i {
        let (halves, _) = table.as_chunks::<64>();
        let by_bit_6 = unsafe { _mm256_slli_epi16::<1>(index) };
        self.select(by_bit_6, self.lookup64(&halves[1], index), self.lookup64(&halves[0], index))
    }

    /// Four lookups by the low six bits; bits 6 and 7 choose among them.
    #[inline(always)]
    fn lookup256(self, table: &[u8; 256], index: __m256i) -> __m256i {
        let (quarters, _) = table.as_chunks::<64>();
        let low = self.and(index, self.splat(63));
        let by_bit_6 = unsafe { _mm256_slli_epi16::<1>(index) };
        let lower = self.select(by_bit_6, self.lookup64(&quarters[1], low), self.lookup64(&quarters[0], low));
        let upper = self.select(by_bit_6, self.lookup64(&quarters[3], low), self.lookup64(&quarters[2], low));
        self.select(index, upper, lower)
    }

    #[inline(always)]
    fn add_wide(self, sums: &mut [u32; 16], table: &[u32; 16], index: &[u8; 16]) {
        unsafe {
            let index = _mm_loadu_si128(index.as_ptr().cast());
            let low = _mm256_loadu_si256(table[..8].as_ptr().cast());
            let high = _mm256_loadu_si256(table[8..].as_ptr().cast());
            let halves = [_mm256_cvtepu8_epi32(index), _mm256_cvtepu8_epi32(_mm_srli_si128::<8>(index))];
            for (half, index) in halves.into_iter().enumerate() {
                let low = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(low, index));
                let high = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(high, index));
                let is_high = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(index));
                let entries = _mm256_castps_si256(_mm256_blendv_ps(low, high, is_high));
                let sums = sums[8 * half..8 * half + 8].as_mut_ptr();
                let sum = _mm256_add_epi32(_mm256_loadu_si256(sums.cast()), entries);
                _mm256_storeu_si256(sums.cast(), sum);
            }
        }
    }
}
