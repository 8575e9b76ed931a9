//! 64 lanes: AVX-512 with its byte permutations, as x86-64 servers since 2019 have it.

#![expect(unsafe_code, reason = "the instructions of a processor; see the argument in the module above")]

use std::arch::x86_64::*;

use super::{Job, Lanes, first, first_mut};

/// Proof that the processor has AVX-512 F, BW and VBMI.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Avx512(());

impl Avx512 {
    pub(in crate::engine) fn detected() -> Option<Self> {
        let has = std::is_x86_feature_detected!("avx512f")
            && std::is_x86_feature_detected!("avx512bw")
            && std::is_x86_feature_detected!("avx512vbmi");
        has.then_some(Self(()))
    }

    #[inline(always)]
    fn row(table: &[u8; 64]) -> __m512i {
        unsafe { _mm512_loadu_si512(table.as_ptr().cast()) }
    }
}

impl Lanes for Avx512 {
    const WIDTH: usize = 64;
    type Vector = __m512i;
    type Mask = __mmask64;
    type Words = (__m512i, __m512i);

    fn run(self, job: impl Job) {
        #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
        fn run(lanes: Avx512, job: impl Job) {
            job.run(lanes);
        }
        unsafe { run(self, job) }
    }

    #[inline(always)]
    fn splat(self, byte: u8) -> __m512i {
        unsafe { _mm512_set1_epi8(byte as i8) }
    }

    #[inline(always)]
    fn load(self, bytes: &[u8]) -> __m512i {
        Self::row(first(bytes))
    }

    #[inline(always)]
    fn store(self, vector: __m512i, bytes: &mut [u8]) {
        unsafe { _mm512_storeu_si512(first_mut::<64>(bytes).as_mut_ptr().cast(), vector) }
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_add_epi8(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_sub_epi8(a, b) }
    }

    #[inline(always)]
    fn sub_saturating(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_subs_epu8(a, b) }
    }

    #[inline(always)]
    fn min(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_min_epu8(a, b) }
    }

    #[inline(always)]
    fn max(self, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_max_epu8(a, b) }
    }

    #[inline(always)]
    fn le(self, a: __m512i, b: __m512i) -> __mmask64 {
        unsafe { _mm512_cmple_epu8_mask(a, b) }
    }

    #[inline(always)]
    fn eq(self, a: __m512i, b: __m512i) -> __mmask64 {
        unsafe { _mm512_cmpeq_epu8_mask(a, b) }
    }

    #[inline(always)]
    fn and(self, a: __mmask64, b: __mmask64) -> __mmask64 {
        a & b
    }

    #[inline(always)]
    fn or(self, a: __mmask64, b: __mmask64) -> __mmask64 {
        a | b
    }

    #[inline(always)]
    fn and_not(self, a: __mmask64, b: __mmask64) -> __mmask64 {
        a & !b
    }

    #[inline(always)]
    fn some(self, among: __mmask64, vector: __m512i) -> __mmask64 {
        unsafe { _mm512_mask_test_epi8_mask(among, vector, vector) }
    }

    #[inline(always)]
    fn any(self, mask: __mmask64) -> bool {
        mask != 0
    }

    #[inline(always)]
    fn bits(self, mask: __mmask64) -> u128 {
        u128::from(mask)
    }

    #[inline(always)]
    fn mask(self, bits: u128) -> __mmask64 {
        bits as u64
    }

    #[inline(always)]
    fn keep(self, mask: __mmask64, vector: __m512i) -> __m512i {
        unsafe { _mm512_maskz_mov_epi8(mask, vector) }
    }

    #[inline(always)]
    fn select(self, mask: __mmask64, yes: __m512i, no: __m512i) -> __m512i {
        unsafe { _mm512_mask_mov_epi8(no, mask, yes) }
    }

    /// The compiler would make two instructions of a sum that wraps.
    #[inline(always)]
    fn count(self, vector: __m512i, mask: __mmask64) -> __m512i {
        unsafe { _mm512_mask_adds_epu8(vector, mask, vector, _mm512_set1_epi8(1)) }
    }

    #[inline(always)]
    fn words(self, low: __m512i, high: __m512i) -> Self::Words {
        unsafe { (_mm512_unpacklo_epi8(low, high), _mm512_unpackhi_epi8(low, high)) }
    }

    #[inline(always)]
    fn add_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        unsafe { (_mm512_add_epi16(a.0, b.0), _mm512_add_epi16(a.1, b.1)) }
    }

    #[inline(always)]
    fn sub_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        unsafe { (_mm512_sub_epi16(a.0, b.0), _mm512_sub_epi16(a.1, b.1)) }
    }

    #[inline(always)]
    fn mul_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        unsafe { (_mm512_mullo_epi16(a.0, b.0), _mm512_mullo_epi16(a.1, b.1)) }
    }

    #[inline(always)]
    fn mul_high_words(self, a: Self::Words, b: Self::Words) -> Self::Words {
        unsafe { (_mm512_mulhi_epu16(a.0, b.0), _mm512_mulhi_epu16(a.1, b.1)) }
    }

    #[inline(always)]
    fn excess(self, a: Self::Words, b: Self::Words) -> __m512i {
        unsafe {
            let most = _mm512_set1_epi16(255);
            let first = _mm512_min_epu16(_mm512_subs_epu16(a.0, b.0), most);
            let second = _mm512_min_epu16(_mm512_subs_epu16(a.1, b.1), most);
            _mm512_packus_epi16(first, second)
        }
    }

    #[inline(always)]
    fn lookup16(self, table: &[u8; 16], index: __m512i) -> __m512i {
        unsafe { _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128(table.as_ptr().cast())), index) }
    }

    #[inline(always)]
    fn lookup64(self, table: &[u8; 64], index: __m512i) -> __m512i {
        unsafe { _mm512_permutexvar_epi8(index, Self::row(table)) }
    }

    #[inline(always)]
    fn lookup128(self, table: &[u8; 128], index: __m512i) -> __m512i {
        let (halves, _) = table.as_chunks::<64>();
        unsafe { _mm512_permutex2var_epi8(Self::row(&halves[0]), index, Self::row(&halves[1])) }
    }

    /// Two lookups by the low seven bits; bit 7 chooses between them.
    #[inline(always)]
    fn lookup256(self, table: &[u8; 256], index: __m512i) -> __m512i {
        let (quarters, _) = table.as_chunks::<64>();
        let [a, b] = [Self::row(&quarters[0]), Self::row(&quarters[1])];
        let [c, d] = [Self::row(&quarters[2]), Self::row(&quarters[3])];
        unsafe {
            let low = _mm512_permutex2var_epi8(a, index, b);
            let high = _mm512_permutex2var_epi8(c, index, d);
            _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(index), high)
        }
    }

    #[inline(always)]
    fn add_wide(self, sums: &mut [u32; 16], table: &[u32; 16], index: &[u8; 16]) {
        unsafe {
            let index = _mm512_cvtepu8_epi32(_mm_loadu_si128(index.as_ptr().cast()));
            let entries = _mm512_permutexvar_epi32(index, _mm512_loadu_si512(table.as_ptr().cast()));
            let sum = _mm512_add_epi32(_mm512_loadu_si512(sums.as_ptr().cast()), entries);
            _mm512_storeu_si512(sums.as_mut_ptr().cast(), sum);
        }
    }
}
