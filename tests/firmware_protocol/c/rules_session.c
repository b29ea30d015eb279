/* What only a caller in C sees of a session: each rule is a function that says whether it holds. */
#include "bench.h"

#include <string.h>

static bool nothing_is_sent_before_start_is_confirmed(void)
{
    uint8_t out[EMGMON_MAX_PAYLOAD];
    bool silent;
    switch_on();
    (void)write_bytes(start, sizeof start);
    take(100);
    silent = !sends();
    (void)emgmon_next_indication(&sensor, 1000, out);
    take(100);
    silent = silent && !sends();
    emgmon_confirmed(&sensor);
    return silent && sends();
}

static bool the_confirmation_of_another_indication_does_not_begin_the_session(void)
{
    uint8_t out[EMGMON_MAX_PAYLOAD];
    bool silent;
    switch_on();
    emgmon_battery(&sensor, 50, 0);
    silent = emgmon_next_indication(&sensor, 1000, out) == 5;
    (void)write_bytes(start, sizeof start);
    take(100);
    emgmon_confirmed(&sensor);
    silent = silent && !sends() && emgmon_next_indication(&sensor, 1000, out) == 36;
    emgmon_confirmed(&sensor);
    return silent && sends();
}

static bool a_second_indication_waits_for_the_first(void)
{
    uint8_t out[EMGMON_MAX_PAYLOAD];
    bool waits;
    switch_on();
    emgmon_battery(&sensor, 50, 0);
    emgmon_saturated(&sensor, 0, 1);
    waits =
        emgmon_next_indication(&sensor, 1000, out) == 5 && emgmon_next_indication(&sensor, 1000, out) == 0;
    emgmon_confirmed(&sensor);
    return waits && emgmon_next_indication(&sensor, 1000, out) == 5;
}

static bool a_response_goes_before_a_status_notification(void)
{
    uint8_t out[EMGMON_MAX_PAYLOAD];
    switch_on();
    emgmon_battery(&sensor, 50, 0);
    (void)write_bytes(start, sizeof start);
    return emgmon_next_indication(&sensor, 1000, out) == 36 && out[0] == 0x82;
}

static bool a_write_before_the_last_response_left_is_refused(void)
{
    const uint8_t stop[] = {3, 2};
    uint8_t out[EMGMON_MAX_PAYLOAD];
    switch_on();
    return write_bytes(start, sizeof start) && !write_bytes(stop, sizeof stop) && emgmon_is_streaming(&sensor)
           && emgmon_next_indication(&sensor, 1000, out) == 36 && write_bytes(stop, sizeof stop);
}

static bool what_is_asked_for_again_comes_after_the_response(void)
{
    const uint8_t again[] = {4, 2, 1, 1, 0, 0, 0, 5, 0, 0, 0};
    uint8_t out[244];
    bool waits;
    switch_on();
    (void)status_of(start, sizeof start);
    take(40);
    while (sends()) {
    }
    (void)write_bytes(again, sizeof again);
    waits = !sends() && emgmon_next_indication(&sensor, 1000, out) == 20 && out[2] == 0;
    return waits && emgmon_next_packet(&sensor, sizeof out, out) == 46 && out[15] == EMGMON_RETRANSMITTED;
}

static bool what_is_not_offered_is_not_supported(void)
{
    const uint8_t requests[][2] = {{4, 0}, {6, 0}, {7, 0}, {8, 0}};
    size_t i;
    describe();
    config.ring_ms = 0;
    (void)init();
    emgmon_connected(&sensor);
    for (i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        if (status_of(requests[i], 2) != 7) {
            return false;
        }
    }
    return true;
}

static bool identify_and_lead_check_ask_the_board(void)
{
    const uint8_t blink[] = {7, 0, 9};
    const uint8_t leads[] = {8, 0, 1};
    const uint8_t expected[] = {0x88, 0, 0, 1, 2, 1, 10, 0, 1, 11, 0};
    uint8_t out[EMGMON_MAX_PAYLOAD];
    bool asked;
    describe();
    config.identify = identify;
    config.lead_check = lead_check;
    (void)init();
    asked = status_of(blink, sizeof blink) == 0 && identified == 9;
    (void)write_bytes(leads, sizeof leads);
    asked = asked && emgmon_next_indication(&sensor, 0, out) == 11 && memcmp(out, expected, 11) == 0;
    emgmon_confirmed(&sensor);
    leads_can_be_checked = false;
    asked = asked && status_of(leads, sizeof leads) == 3;
    leads_can_be_checked = true;
    return asked;
}

static bool time_says_when_the_response_left(void)
{
    const uint8_t ask[] = {5, 0, 1, 2, 3, 4, 5, 6, 7, 8};
    const uint8_t expected[] = {0x85, 0, 0, 1, 2, 3,    4,    5, 6, 7, 8, 0xE8,
                                3,    0, 0, 0, 0, 0x92, 0x10, 0, 0, 0, 0};
    uint8_t out[EMGMON_MAX_PAYLOAD];
    bool stamped;
    switch_on();
    (void)write_bytes(ask, sizeof ask);
    stamped = emgmon_next_indication(&sensor, 0x1092, out) == 23 && memcmp(out, expected, 23) == 0;
    emgmon_confirmed(&sensor);
    config.clock_us = clock_us;
    (void)write_bytes(ask, sizeof ask);
    return stamped && emgmon_next_indication(&sensor, 9, out) == 23 && out[17] == 0x92 && out[18] == 0x10;
}

static bool sites_survive_power_down(void)
{
    const uint8_t sites[] = {6, 0, 1, 2, 0, 2, 1, 'x', 1, 1, 5, 't', 'h', 'i', 'g', 'h'};
    uint8_t before[sizeof description];
    size_t n_bytes;
    bool moved;
    describe();
    config.store_sites = store;
    (void)init();
    moved = status_of(sites, sizeof sites) == 0;
    (void)emgmon_description(&sensor, &n_bytes);
    memcpy(before, description, n_bytes);
    moved = moved && n_bytes == stored_bytes && memcmp(before, stored, n_bytes) == 0;
    (void)init();
    moved = moved && memcmp(before, description, n_bytes) != 0
            && emgmon_restore_sites(&sensor, stored, stored_bytes);
    (void)emgmon_description(&sensor, &n_bytes);
    return moved && n_bytes == stored_bytes && memcmp(before, description, n_bytes) == 0;
}

static bool sites_of_another_sensor_are_left(void)
{
    uint8_t other[sizeof description];
    uint8_t before[sizeof description];
    size_t n_bytes, cut;
    describe();
    config.store_sites = store;
    (void)init();
    memcpy(before, emgmon_description(&sensor, &n_bytes), sizeof before);
    memcpy(other, description, n_bytes);
    other[n_bytes - 1u] = 'A';
    if (emgmon_restore_sites(&sensor, other, n_bytes)) {
        return false;
    }
    for (cut = 0; cut < n_bytes; cut++) {
        if (emgmon_restore_sites(&sensor, before, cut)) {
            return false;
        }
    }
    return memcmp(before, description, n_bytes) == 0 && emgmon_restore_sites(&sensor, before, n_bytes);
}

static bool counts_beyond_24_bits_are_the_end_of_the_range_and_say_so(void)
{
    const int32_t values[2] = {0x800000, -0x800001};
    const uint8_t expected[] = {0xFF, 0xFF, 0x7F, 0, 0, 0x80};
    uint8_t out[244];
    switch_on();
    (void)status_of(start, sizeof start);
    take(19);
    emgmon_take(&sensor, 0, values, 1, 0);
    return emgmon_next_packet(&sensor, sizeof out, out) == 16u + 20u * 6u && out[15] == EMGMON_SATURATED
           && memcmp(out + 16u + 19u * 6u, expected, 6) == 0;
}

static bool an_infinity_is_sent_as_missing(void)
{
    const uint32_t values[2] = {0x7F800000u, 0xFF800000u};
    const uint8_t expected[] = {0, 0, 0xC0, 0x7F, 0, 0, 0xC0, 0x7F};
    uint8_t out[8];
    return !emgmon_write_values(EMGMON_FLOAT32, values, 2, out) && memcmp(out, expected, 8) == 0;
}

static bool notifications_off_end_sending_and_not_sampling(void)
{
    bool ended;
    switch_on();
    (void)status_of(start, sizeof start);
    take(100);
    ended = sends();
    emgmon_notifications_off(&sensor);
    ended = ended && !sends() && !emgmon_is_streaming(&sensor) && emgmon_is_sampling(&sensor);
    return ended && status_of(start, sizeof start) == 0;
}

static bool sampling_ends_by_itself_only_while_nobody_listens(void)
{
    bool goes_on;
    switch_on();
    (void)status_of(start, sizeof start);
    emgmon_end_sampling(&sensor);
    goes_on = emgmon_is_sampling(&sensor);
    emgmon_disconnected(&sensor);
    goes_on = goes_on && emgmon_is_sampling(&sensor);
    emgmon_end_sampling(&sensor);
    return goes_on && !emgmon_is_sampling(&sensor);
}

static bool a_full_table_of_notices_loses_the_newest_and_nothing_else(void)
{
    uint8_t out[EMGMON_MAX_PAYLOAD];
    int n = 0;
    switch_on();
    emgmon_lead_changed(&sensor, 0, 0, EMGMON_CONTACT_OFF);
    emgmon_lead_changed(&sensor, 0, 1, EMGMON_CONTACT_OFF);
    emgmon_battery(&sensor, 5, EMGMON_BATTERY_LOW);
    while (emgmon_next_indication(&sensor, 1000, out) != 0) {
        emgmon_confirmed(&sensor);
        n++;
    }
    return n == 2;
}

static bool sample_times_are_rounded_half_up_and_exact_for_a_century(void)
{
    switch_on();
    stream_configs[0].rate_uhz = 666666666667u; /* 1.5 us: sample 1 at 1.49999... */
    stream_configs[1].rate_uhz = 400000000000u; /* 2.5 us */
    return emgmon_sample_time_us(&sensor, 0, 1) == 1 && emgmon_sample_time_us(&sensor, 1, 1) == 3
           && emgmon_sample_time_us(&sensor, 1, UINT64_C(1262304000000001)) == UINT64_C(3155760000000003);
}

const rule session_rules[] = {
    RULE(nothing_is_sent_before_start_is_confirmed),
    RULE(the_confirmation_of_another_indication_does_not_begin_the_session),
    RULE(a_second_indication_waits_for_the_first),
    RULE(a_response_goes_before_a_status_notification),
    RULE(a_write_before_the_last_response_left_is_refused),
    RULE(what_is_asked_for_again_comes_after_the_response),
    RULE(what_is_not_offered_is_not_supported),
    RULE(identify_and_lead_check_ask_the_board),
    RULE(time_says_when_the_response_left),
    RULE(sites_survive_power_down),
    RULE(sites_of_another_sensor_are_left),
    RULE(counts_beyond_24_bits_are_the_end_of_the_range_and_say_so),
    RULE(an_infinity_is_sent_as_missing),
    RULE(notifications_off_end_sending_and_not_sampling),
    RULE(sampling_ends_by_itself_only_while_nobody_listens),
    RULE(a_full_table_of_notices_loses_the_newest_and_nothing_else),
    RULE(sample_times_are_rounded_half_up_and_exact_for_a_century),
};
const size_t n_session_rules = sizeof session_rules / sizeof session_rules[0];
