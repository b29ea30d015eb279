import numpy as np
import pytest

from emgmon.dsp.quality import Measured
from emgmon.dsp.quality_grades import Rest, grade
from emgmon.dsp.quality_pool import pool, quality_figures
from emgmon.events import Quality, QualityFigures

SOUND = QualityFigures(
    noise_uv=3.0,
    snr_db=24.0,
    hum_ratio=0.02,
    hum_hz=50.0,
    clipped_share=0.0,
    flat_share=0.0,
    motion_share=0.1,
    median_frequency_hz=95.0,
    heartbeat_share=0.02,
    missing_share=0.0,
)


def graded(
    rate_hz=2000.0, n_blocks=10.0, rest=Rest.MEASURED, reference_snr_db=None, removed_hz=None, **figures
):
    values = {name: getattr(SOUND, name) for name in SOUND.__slots__} | figures
    return grade(
        QualityFigures(**values),
        rate_hz=rate_hz,
        n_blocks=n_blocks,
        rest=rest,
        reference_snr_db=reference_snr_db,
        hum_removed_hz=removed_hz,
    )


def test_a_sound_channel_is_good_and_has_no_reason():
    assert graded() == (Quality.GOOD, None)


@pytest.mark.parametrize(
    ("figures", "expected", "reason"),
    [
        ({"hum_ratio": 0.41}, Quality.REJECT, "mains hum makes up 41 % of the signal"),
        ({"hum_ratio": 0.2}, Quality.USABLE, "mains hum makes up 20 % of the signal"),
        ({"flat_share": 1.0}, Quality.REJECT, "the electrode gives no signal"),
        ({"flat_share": 0.4}, Quality.REJECT, "the electrode gave no signal for 40 % of the time"),
        (
            {"clipped_share": 0.02},
            Quality.REJECT,
            "the signal is cut off at the amplifier's limit (2 % of the samples)",
        ),
        (
            {"clipped_share": 0.0005},
            Quality.USABLE,
            "the signal is cut off at the amplifier's limit (0.05 % of the samples)",
        ),
        ({"snr_db": 4.9}, Quality.REJECT, "only 4 dB above its rest noise"),
        ({"snr_db": 14.9}, Quality.USABLE, "only 14 dB above its rest noise"),
        ({"snr_db": -3.0}, Quality.REJECT, "only 0 dB above its rest noise"),
        ({"snr_db": -15.0}, Quality.REJECT, "the electrode is far quieter than at rest"),
        ({"noise_uv": 7.0, "snr_db": None}, Quality.USABLE, "its noise at rest is 7 µV"),
        ({"noise_uv": 12.0}, Quality.USABLE, "its noise at rest is 12 µV"),
        ({"noise_uv": 12.0, "snr_db": None}, Quality.REJECT, "its noise at rest is 12 µV"),
        ({"motion_share": 0.85}, Quality.USABLE, "movement below 20 Hz makes up 85 % of the signal"),
        (
            {"median_frequency_hz": 34.0},
            Quality.USABLE,
            "its median frequency of 34 Hz is outside 40 to 200 Hz",
        ),
        ({"heartbeat_share": 0.45}, Quality.USABLE, "the heartbeat makes up 45 % of the cleaned signal"),
        ({"missing_share": 0.05}, Quality.USABLE, "5 % of its samples are missing"),
        ({"missing_share": 0.6}, Quality.REJECT, "60 % of its samples are missing"),
    ],
)
def test_each_fault_has_its_grade_and_its_reason(figures, expected, reason):
    assert graded(**figures) == (expected, reason)


def test_noise_that_the_work_stands_far_above_is_borne():
    assert graded(noise_uv=7.0) == (Quality.GOOD, None)


def test_what_rejects_is_said_before_what_is_bearable():
    assert graded(motion_share=0.9, missing_share=0.1, hum_ratio=0.6)[1].startswith("mains hum")


def test_of_two_that_reject_the_worse_is_said():
    assert graded(snr_db=1.0, hum_ratio=0.9, flat_share=1.0) == (
        Quality.REJECT,
        "the electrode gives no signal",
    )


def test_what_was_not_measured_is_not_judged():
    assert grade(QualityFigures(), rate_hz=2000.0) == (Quality.GOOD, None)


@pytest.mark.parametrize("rate_hz", [200.0, 250.0])
def test_slow_channels_are_not_judged_by_a_median_frequency(rate_hz):
    assert graded(rate_hz=rate_hz, median_frequency_hz=34.0) == (Quality.GOOD, None)


def test_chance_makes_hum_in_one_block_that_it_does_not_in_ten():
    assert graded(n_blocks=1.0, hum_ratio=0.2)[0] is Quality.GOOD
    assert graded(n_blocks=10.0, hum_ratio=0.2)[0] is Quality.USABLE
    assert graded(n_blocks=2.5, hum_ratio=0.2, rate_hz=200.0)[0] is Quality.GOOD


def test_a_quiet_muscle_with_a_good_reference_is_no_fault_of_its_electrode():
    assert graded(snr_db=1.0, reference_snr_db=25.0) == (Quality.GOOD, None)
    expected = "its reference contraction stands only 4 dB above its rest noise"
    assert graded(snr_db=20.0, reference_snr_db=4.0) == (Quality.REJECT, expected)


def test_a_dead_channel_is_found_although_its_reference_was_good():
    assert graded(snr_db=-20.0, reference_snr_db=25.0)[0] is Quality.REJECT


def test_rest_that_was_only_guessed_never_rejects():
    assert graded(snr_db=1.0, rest=Rest.BLIND) == (Quality.USABLE, "only 1 dB above the quietest it has been")
    assert graded(noise_uv=40.0, rest=Rest.BLIND) == (Quality.GOOD, None)


def test_hum_that_is_taken_out_does_not_reject():
    expected = "mains hum makes up 70 % of the signal and has to be taken out"
    assert graded(hum_ratio=0.7, removed_hz=50.0) == (Quality.USABLE, expected)


def block(**measured):
    values = np.full(len(Measured), np.nan)
    for name, value in measured.items():
        values[Measured[name.upper()]] = value
    return values[np.newaxis]


def test_powers_are_averaged_before_ratios_are_made():
    loud = block(band=900.0, hum_50=0.0, hum_60=-5.0, total=1000.0, low=10.0, clean=900.0, flat=0.0)
    quiet = block(band=100.0, hum_50=90.0, hum_60=0.0, total=100.0, low=90.0, clean=100.0, flat=0.0)
    (figures,) = quality_figures(pool(np.array([loud, quiet]), np.ones(2)), np.array([5.0]))
    assert figures.hum_ratio == pytest.approx(0.09)
    assert figures.hum_hz == 50.0
    assert figures.motion_share == pytest.approx(100.0 / 1100.0)
    assert figures.snr_db == pytest.approx(20.0 * np.log10(np.sqrt(500.0) / 5.0))


def test_blocks_count_by_their_weight_and_missing_ones_not_at_all():
    blocks = np.array([block(band=100.0, flat=1.0), block(band=300.0, flat=0.0), block(missing_share=1.0)])
    pooled = pool(blocks, np.array([0.5, 1.0, 1.0]))
    assert pooled[Measured.BAND][0] == pytest.approx(350.0 / 1.5)
    assert pooled[Measured.FLAT][0] == pytest.approx(1.0 / 3.0)
    assert pooled[Measured.MISSING_SHARE][0] == 1.0


def test_loud_blocks_count_for_more_when_chance_is_weighed():
    even = pool(np.array([block(band=100.0)] * 10), np.ones(10))
    uneven = pool(np.array([block(band=1000.0)] + [block(band=1.0)] * 9), np.ones(10))
    assert even.n_blocks[0] == pytest.approx(10.0)
    assert uneven.n_blocks[0] == pytest.approx(1.0, abs=0.05)


def test_of_no_blocks_nothing_is_known():
    (figures,) = quality_figures(pool(np.empty((0, 1, len(Measured))), np.empty(0)))
    assert figures == QualityFigures()


def test_negative_hum_is_none():
    (figures,) = quality_figures(pool(block(band=100.0, hum_50=-3.0, hum_60=-1.0)[np.newaxis], np.ones(1)))
    assert (figures.hum_ratio, figures.hum_hz) == (0.0, None)
