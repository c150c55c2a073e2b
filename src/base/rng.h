/* SPDX-License-Identifier: MIT */
/*
 * Counter-based random numbers (SplitMix64; Steele, Lea, Flood 2014): x_j needs no x_{j-1}, so the
 * same seed gives the same load on any number of workers.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

static inline uint64_t rng_mix64(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* The j-th number of the stream `seed`. */
static inline uint64_t rng_at(uint64_t seed, uint64_t j)
{
    return rng_mix64(seed + (j + 1) * UINT64_C(0x9E3779B97F4A7C15));
}

/* Seed of an independent sub-stream, for example of one VU. */
static inline uint64_t rng_sub(uint64_t seed, uint64_t index)
{
    return rng_mix64(seed ^ rng_mix64(index + 1));
}

/* A number in [0, 1) with 53 random bits. */
static inline double rng_unit(uint64_t x)
{
    return (double)(x >> 11) * 0x1p-53;
}

/* A number in [0, n), n > 0; multiply-shift, bias below n / 2^64. */
static inline uint64_t rng_below(uint64_t x, uint64_t n)
{
    __extension__ typedef unsigned __int128 u128;
    return (uint64_t)(((u128)x * n) >> 64);
}

#endif
