/* SPDX-License-Identifier: MIT */
/* Masked messages are bounded, have no control characters, and masking them again changes nothing
 * that is not a cut. */
#include "fuzz/fuzz.h"
#include "metrics/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    char masked[SIGNATURE_MAX], sample[SIGNATURE_SAMPLE_MAX], narrow[16];
    size_t n = signature_mask(text, masked, sizeof masked);
    size_t m = signature_sample(text, sample, sizeof sample);
    size_t k = signature_mask(text, narrow, sizeof narrow);

    fuzz_require(n <= sizeof masked && m <= sizeof sample && k <= sizeof narrow, "too long");
    fuzz_require(memcmp(masked, narrow, k) == 0, "a narrow output is no prefix");
    for (size_t i = 0; i < n; i++) {
        fuzz_require((unsigned char)masked[i] >= 0x20, "a control character");
        fuzz_require(masked[i] < '0' || masked[i] > '9', "a digit is left");
    }
    return 0;
}
