/* What a configuration has to be: each rule is a function that says whether it holds. */
#include "bench.h"

static bool a_sound_configuration_is_taken(void)
{
    describe();
    return init() == EMGMON_FINE;
}

static bool a_name_needs_a_letter(void)
{
    describe();
    config.name = "";
    return init() == EMGMON_BAD_NAME;
}

static bool stream_numbers_come_once(void)
{
    describe();
    stream_configs[1].number = 1;
    return init() == EMGMON_BAD_STREAM;
}

static bool a_rate_is_above_zero_and_at_most_a_megahertz(void)
{
    bool refused;
    describe();
    stream_configs[1].rate_uhz = 0;
    refused = init() == EMGMON_BAD_STREAM;
    stream_configs[1].rate_uhz = UINT64_C(1000000000001);
    return refused && init() == EMGMON_BAD_STREAM;
}

static bool channels_suit_their_stream(void)
{
    describe();
    imu[0].quantity = EMGMON_EMG;
    return init() == EMGMON_BAD_CHANNEL;
}

static bool a_scale_is_finite_and_above_zero(void)
{
    const uint32_t bad[] = {0, 0x80000000u, 0xBF800000u, 0x7F800000u, 0x7FC00000u};
    size_t i;
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        describe();
        emg[1].scale_bits = bad[i];
        if (init() != EMGMON_BAD_CHANNEL) {
            return false;
        }
    }
    return true;
}

static bool a_site_is_a_lower_case_word(void)
{
    const char *const bad[] = {"", "Lumbar", "1st", "a-b", "abcdefghijklmnopqrstuvwxyzabcdef"};
    size_t i;
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        describe();
        emg[0].site = bad[i];
        if (init() != EMGMON_BAD_SITE) {
            return false;
        }
    }
    return true;
}

static bool a_ring_holds_what_ring_ms_promises(void)
{
    bool refused;
    describe();
    config.ring_ms = 261;
    refused = init() == EMGMON_RING_TOO_SMALL;
    describe();
    config.ring_ms = 0;
    stream_configs[1].ring_bytes = 4;
    return refused && init() == EMGMON_RING_TOO_SMALL;
}

static bool so_many_streams_that_start_cannot_be_answered_are_refused(void)
{
    describe();
    config.n_streams = 22;
    return init() == EMGMON_TOO_MANY_STREAMS;
}

static bool a_sensor_with_set_sites_needs_room_for_the_longest(void)
{
    bool fits;
    describe();
    config.description_bytes = 120;
    fits = init() == EMGMON_FINE;
    config.store_sites = store;
    return fits && init() == EMGMON_DESCRIPTION_TOO_SMALL;
}

static bool the_description_has_to_fit(void)
{
    describe();
    config.description_bytes = 50;
    return init() == EMGMON_DESCRIPTION_TOO_SMALL;
}

const rule set_up_rules[] = {
    RULE(a_sound_configuration_is_taken),
    RULE(a_name_needs_a_letter),
    RULE(stream_numbers_come_once),
    RULE(a_rate_is_above_zero_and_at_most_a_megahertz),
    RULE(channels_suit_their_stream),
    RULE(a_scale_is_finite_and_above_zero),
    RULE(a_site_is_a_lower_case_word),
    RULE(a_ring_holds_what_ring_ms_promises),
    RULE(so_many_streams_that_start_cannot_be_answered_are_refused),
    RULE(a_sensor_with_set_sites_needs_room_for_the_longest),
    RULE(the_description_has_to_fit),
};
const size_t n_set_up_rules = sizeof set_up_rules / sizeof set_up_rules[0];
