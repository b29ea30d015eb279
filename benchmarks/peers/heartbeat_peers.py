"""Envelopes of NeuroKit2 and pyemgpipeline, each with its own defaults, of EMG alone and with a heartbeat.

    PYTHON benchmarks/peers/heartbeat_peers.py GIVEN.npz MADE.npz

Runs in an environment of its own (`pip install neurokit2 pyemgpipeline`) and imports nothing of this project.
GIVEN holds `alone`, `mixed` (n_samples,) and `rate_hz`; MADE holds one array (2, n_samples) for each peer.
"""

import sys

import numpy as np


def neurokit2(raw, rate_hz):
    """100 Hz high-pass, Teager-Kaiser energy, 8 Hz low-pass; its root, as energy goes with the square of EMG.

    The high-pass takes most of the heartbeat and three fifths of the power of a usual EMG spectrum with it.
    """
    import neurokit2 as nk

    energy = nk.emg_amplitude(nk.emg_clean(raw, sampling_rate=int(rate_hz)))
    return np.sqrt(np.maximum(energy, 0.0))


def pyemgpipeline(raw, rate_hz):
    """10 to 450 Hz, rectified, 6 Hz low-pass."""
    import pyemgpipeline as pep

    measurement = pep.wrappers.EMGMeasurement(raw, hz=rate_hz)
    measurement.apply_dc_offset_remover()
    measurement.apply_bandpass_filter()
    measurement.apply_full_wave_rectifier()
    measurement.apply_linear_envelope()
    return measurement.data


def main(given, made):
    with np.load(given) as signals:
        pair, rate_hz = (signals["alone"], signals["mixed"]), float(signals["rate_hz"])
    envelopes = {
        peer.__name__: np.stack([np.asarray(peer(raw, rate_hz)).ravel() for raw in pair])
        for peer in (neurokit2, pyemgpipeline)
    }
    np.savez(made, **envelopes)


if __name__ == "__main__":
    main(*sys.argv[1:])
