/* Sample numbers and device time, in exact integers: which sample is taken when, and which comes next. */
#include "emgmon_internal.h"

#define US_UHZ 1000000000000u /* microseconds in a second, times microhertz in a hertz */

typedef struct {
    uint64_t high;
    uint64_t low;
} wide;

static wide multiply(uint64_t a, uint64_t b)
{
    const uint64_t a_low = a & 0xFFFFFFFFu, a_high = a >> 32;
    const uint64_t b_low = b & 0xFFFFFFFFu, b_high = b >> 32;
    const uint64_t cross =
        (a_low * b_low >> 32) + (a_high * b_low & 0xFFFFFFFFu) + (a_low * b_high & 0xFFFFFFFFu);
    wide product;
    product.low = (cross << 32) | (a_low * b_low & 0xFFFFFFFFu);
    product.high = a_high * b_high + (a_high * b_low >> 32) + (a_low * b_high >> 32) + (cross >> 32);
    return product;
}

/* Long division, bit by bit; the quotient fits because n.high < divisor. */
static uint64_t divide(wide n, uint64_t divisor, uint64_t *remainder)
{
    uint64_t quotient = 0;
    int bit;
    if (n.high == 0) {
        *remainder = n.low % divisor;
        return n.low / divisor;
    }
    for (bit = 63; bit >= 0; bit--) {
        const bool carry = (n.high >> 63) != 0;
        n.high = (n.high << 1) | ((n.low >> bit) & 1u);
        quotient <<= 1;
        if (carry || n.high >= divisor) {
            n.high -= divisor;
            quotient |= 1u;
        }
    }
    *remainder = n.high;
    return quotient;
}

/* floor(a * b / c) for a below c, with what is left. */
static uint64_t scale(uint64_t a, uint64_t b, uint64_t c, uint64_t *remainder)
{
    return divide(multiply(a, b), c, remainder);
}

/* Device time of a sample after sample 0: halves of a microsecond are rounded up [5.3]. */
uint64_t emgmon_clock_time_us(uint64_t rate_uhz, uint64_t sample)
{
    uint64_t left;
    const uint64_t whole = sample / rate_uhz * US_UHZ;
    const uint64_t part = scale(sample % rate_uhz, US_UHZ, rate_uhz, &left);
    return whole + part + (left >= rate_uhz - left ? 1u : 0u);
}

/* The first sample that is not taken before `time_us` [5.2]. */
uint64_t emgmon_clock_sample_at(uint64_t rate_uhz, uint64_t time_us)
{
    uint64_t left;
    const uint64_t whole = time_us / US_UHZ * rate_uhz;
    const uint64_t part = scale(time_us % US_UHZ, rate_uhz, US_UHZ, &left);
    return whole + part + (left != 0 ? 1u : 0u);
}

/* Samples that last at least `ring_ms`. */
uint64_t emgmon_clock_capacity(uint64_t rate_uhz, uint32_t ring_ms)
{
    const uint64_t divisor = 1000000000u;
    uint64_t left;
    const uint64_t whole = (uint64_t)ring_ms / divisor * rate_uhz;
    const uint64_t part = scale((uint64_t)ring_ms % divisor, rate_uhz, divisor, &left);
    return whole + part + (left != 0 ? 1u : 0u);
}
