"""A crystal that drifts and wanders, and a radio that makes messages wait for its connection events."""

from dataclasses import dataclass

import numpy as np

from emgmon.dsp.clock_fit import TimeExchange


class Crystal:
    """Device time to host time, counted from the sensor's start, in nanoseconds as floats."""

    def __init__(self, rng, *, seconds, drift_ppm, wander_ppm_per_min, boot_ns):
        n = int(seconds) + 120
        self.drift_ppm = drift_ppm + np.cumsum(rng.normal(0.0, wander_ppm_per_min / np.sqrt(60.0), n))
        self._offset_ns = np.concatenate([[0.0], np.cumsum(1000.0 * self.drift_ppm)])
        self._device_ns = 1e9 * np.arange(n + 1)
        self.boot_ns = boot_ns

    def host_ns(self, device_ns):
        return device_ns + np.interp(device_ns, self._device_ns, self._offset_ns)

    def device_ns(self, host_ns):
        device_ns = host_ns
        for _ in range(5):
            device_ns = host_ns - np.interp(device_ns, self._device_ns, self._offset_ns)
        return device_ns


@dataclass(frozen=True)
class Arrival:
    device_us: int
    arrival_ns: int


@dataclass(frozen=True)
class Traffic:
    """What a host notes, in the order in which it comes; times in seconds since the sensor's start."""

    crystal: Crystal
    at_s: list[float]
    events: list[Arrival | TimeExchange]


class Radio:
    """Messages go at the next connection event; some are repeated, some are late by seconds."""

    def __init__(self, rng, interval_ms, *, outliers):
        self._rng, self._outliers = rng, outliers
        self._interval_ns = 1e6 * interval_ms * (1.0 + rng.uniform(-20e-6, 20e-6))
        self._phase_ns = rng.uniform(0.0, self._interval_ns)
        # The way through the host's stack takes its time, and not the same there as back.
        self._down_ns, self._up_ns = 1e6 * rng.uniform(0.3, 1.5, 2)

    def _event(self, ready_ns, lost):
        events = np.ceil((ready_ns - self._phase_ns) / self._interval_ns) + (
            self._rng.random(len(ready_ns)) < lost
        )
        late = self._rng.random(len(ready_ns)) < self._outliers
        late_ns = late * self._rng.uniform(0.2e9, 3e9, len(ready_ns))
        return self._phase_ns + events * self._interval_ns + late_ns + 0.4e6

    def to_device(self, sent_ns):
        """Host time at which the sensor has what the host sent."""
        return self._event(sent_ns + self._down_ns + self._rng.exponential(0.3e6, len(sent_ns)), 0.05)

    def to_host(self, sent_ns, lost=0.1):
        """Host time of arrival of what the sensor sent at a host time."""
        return self._event(sent_ns, lost) + self._up_ns + self._rng.exponential(0.3e6, len(sent_ns))


def traffic(
    seed,
    *,
    seconds=1800.0,
    interval_ms=None,
    drift_ppm=None,
    wander_ppm_per_min=0.1,
    packets_hz=50.0,
    exchange_every_s=10.0,
    outliers=0.01,
    boot_ns=7_000_000_000_000,
):
    """Eight exchanges, then a stream with an exchange now and then; either is left out at a rate of 0."""
    rng = np.random.default_rng(seed)
    drift_ppm = rng.uniform(-200.0, 200.0) if drift_ppm is None else drift_ppm
    crystal = Crystal(
        rng, seconds=seconds, drift_ppm=drift_ppm, wander_ppm_per_min=wander_ppm_per_min, boot_ns=boot_ns
    )
    radio = Radio(rng, interval_ms or rng.uniform(7.5, 50.0), outliers=outliers)
    noted = []
    if exchange_every_s:
        later = np.arange(3.0 + exchange_every_s, seconds - 10.0, exchange_every_s)
        t1 = 1e9 * np.concatenate([0.5 + 0.2 * np.arange(8), later + rng.uniform(0.0, 1.0, len(later))])
        t2 = crystal.device_ns(radio.to_device(t1))
        t3 = t2 + 1e6 * rng.uniform(0.05, 2.0, len(t1))
        t4 = radio.to_host(crystal.host_ns(t3))
        for asked, came, went, answered in np.stack([t1, t2, t3, t4], axis=1).tolist():
            exchange = TimeExchange(
                boot_ns + int(asked), int(came / 1e3), int(went / 1e3), boot_ns + int(answered)
            )
            noted.append((answered / 1e9, exchange))
    if packets_hz:
        taken = np.arange(2.0, seconds - 10.0, 1.0 / packets_hz) * 1e9
        arrived = np.maximum.accumulate(radio.to_host(crystal.host_ns(taken)))
        for device_ns, host_ns in np.stack([taken, arrived], axis=1).tolist():
            noted.append((host_ns / 1e9, Arrival(int(device_ns / 1e3), boot_ns + int(host_ns))))
    noted.sort(key=lambda one: one[0])
    return Traffic(crystal, [at_s for at_s, _ in noted], [event for _, event in noted])


def take(fit, event):
    if isinstance(event, TimeExchange):
        fit.add(event)
    else:
        fit.add_arrival(event.device_us, event.arrival_ns)
