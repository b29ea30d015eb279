"""Which side worked: only what stands out is named."""

import math

import numpy as np
import pytest

from emgmon.metrics.engagement import ChannelSite, find_body
from emgmon.metrics.side import BARE_RATIO, CALIBRATED_RATIO, GlutePair, glute_pair, louder_glute

NAN = math.nan
PAIR = GlutePair(left=0, right=1)


def hops(left, right):
    return np.tile([float(left), float(right)], (50, 1))


@pytest.mark.parametrize(
    ("activation", "envelope", "side"),
    [
        ((40, 30), (10, 99), "left"),
        ((30, 40), (99, 10), "right"),
        ((30, 30 * CALIBRATED_RATIO), (50, 50), "right"),
        ((30, 36), (1, 99), None),
        ((0, 0), (50, 10), None),
        ((12, 0), (10, 10), "left"),
        ((0, 12), (10, 10), "right"),
        ((NAN, NAN), (50, 30), "left"),
        ((NAN, NAN), (30, 50), "right"),
        ((NAN, 40), (40, 30), None),
        ((NAN, 40), (30 * BARE_RATIO, 30), "left"),
        ((NAN, NAN), (NAN, 30), None),
        ((NAN, NAN), (0, 0), None),
    ],
)
def test_the_louder_glute_is_named_when_it_stands_out(activation, envelope, side):
    assert louder_glute(PAIR, hops(*activation), hops(*envelope)) == side


def test_without_a_single_hop_nothing_is_named():
    none = np.empty((0, 2))
    assert louder_glute(PAIR, none, none) is None


def test_one_missing_hop_leaves_the_percents_unknown():
    activation = hops(50, 20)
    activation[7, 0] = NAN
    assert louder_glute(PAIR, activation, hops(30, 30)) is None


def sites(*named):
    return [ChannelSite(site, side) for site, side in named]


@pytest.mark.parametrize(
    ("worn", "pair"),
    [
        (sites(("gluteus_maximus", "left"), ("gluteus_maximus", "right")), GlutePair(0, 1)),
        (
            sites(("erector_spinae", "left"), ("gluteus_maximus", "right"), ("gluteus_maximus", "left")),
            GlutePair(2, 1),
        ),
        (sites(("gluteus_maximus", "left"), ("erector_spinae", "right")), None),
        (sites(("gluteus_maximus", "left"), ("gluteus_medius", "right")), None),
        (sites(("gluteus_maximus", None), ("gluteus_maximus", "right")), None),
        (sites(("gluteus_maximus", "right"), ("gluteus_maximus", "right")), None),
        ([], None),
    ],
)
def test_a_pair_takes_the_same_muscle_on_both_sides(worn, pair):
    assert glute_pair(find_body(worn, None), [channel.side for channel in worn]) == pair
