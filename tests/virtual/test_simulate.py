"""What arrives is what was sent, less what was lost, in order."""

from pathlib import Path

import numpy as np
import pytest

from emgmon.errors import EmgmonError, SimulationError
from emgmon.events import Notification, NotificationKind
from emgmon.recording.columns import to_notifications
from emgmon.recording.reader import RecordingReader
from emgmon.virtual.athlete import AthleteParams, Performance, perform
from emgmon.virtual.simulate import UPTIME_US, Transmission, transmit, write_recording
from emgmon.virtual.truth import read_truth
from firmware_protocol.control import Opcode, Response, Started, Status
from firmware_protocol.decoder import Decoder, Gap, SampleBlock


@pytest.fixture(scope="module")
def performance() -> Performance:
    return perform(AthleteParams(n_reps=1))


def received(transmission: Transmission) -> list[Notification]:
    return [row for piece in transmission.seconds() for row in to_notifications(piece)]


def decoded(performance: Performance, transmission: Transmission) -> list[object]:
    decoder = Decoder(performance.capabilities)
    found: list[object] = []
    for notification in received(transmission):
        if notification.kind is NotificationKind.CONTROL:
            decoder.start(Started.from_bytes(Response.from_bytes(notification.payload).payload))
        else:
            found += decoder.receive(notification.payload)
    return found


def test_the_first_notification_is_the_response_to_start(performance: Performance) -> None:
    first = received(transmit(performance))[0]
    response = Response.from_bytes(first.payload)
    started = Started.from_bytes(response.payload)
    assert (first.kind, response.opcode, response.status) == (
        NotificationKind.CONTROL,
        Opcode.START,
        Status.OK,
    )
    assert started.time_us == UPTIME_US
    assert [(start.stream, start.first_sample, start.time_us) for start in started.streams] == [
        (1, 0, UPTIME_US),
        (2, 0, UPTIME_US),
    ]


def test_without_loss_every_sample_arrives_once_and_in_order(performance: Performance) -> None:
    found = decoded(performance, transmit(performance))
    assert all(isinstance(item, SampleBlock) for item in found)
    for samples in performance.streams:
        blocks = [b for b in found if isinstance(b, SampleBlock) and b.stream == samples.stream.number]
        assert np.array_equal(np.concatenate([block.values for block in blocks]), samples.counts)


def test_device_time_of_every_packet_is_that_of_its_first_sample(performance: Performance) -> None:
    rates_hz = {samples.stream.number: samples.stream.rate_hz for samples in performance.streams}
    for block in decoded(performance, transmit(performance)):
        assert isinstance(block, SampleBlock)
        assert block.time_us == UPTIME_US + round(1e6 * block.first_sample / rates_hz[block.stream])


def test_arrival_never_goes_back_nor_before_the_last_sample_of_the_packet(performance: Performance) -> None:
    notifications = received(transmit(performance))
    assert np.all(np.diff([notification.arrival_ns for notification in notifications]) >= 0)
    rates_hz = {samples.stream.number: samples.stream.rate_hz for samples in performance.streams}
    decoder = Decoder(performance.capabilities)
    for notification in notifications:
        if notification.kind is NotificationKind.DATA:
            for block in decoder.receive(notification.payload):
                assert isinstance(block, SampleBlock)
                end_s = (block.first_sample + len(block.values)) / rates_hz[block.stream]
                assert notification.arrival_ns >= 1e9 * end_s


def test_what_is_lost_is_counted_and_leaves_gaps_of_that_size(performance: Performance) -> None:
    whole = transmit(performance)
    holed = transmit(performance, loss_pct=10.0, seed=3)
    n_lost = sum(loss.notifications for loss in holed.lost)
    assert len(received(whole)) - len(received(holed)) == n_lost
    assert 0.06 < n_lost / len(received(whole)) < 0.14
    found = decoded(performance, holed)
    for samples, loss in zip(performance.streams, holed.lost, strict=True):
        arrived = sum(
            len(b.values) for b in found if isinstance(b, SampleBlock) and b.stream == samples.stream.number
        )
        assert arrived == len(samples.counts) - loss.samples
    assert any(isinstance(item, Gap) for item in found)


def test_what_is_not_lost_arrives_when_it_would_have_arrived_anyway(performance: Performance) -> None:
    whole = received(transmit(performance, seed=3))
    holed = received(transmit(performance, loss_pct=10.0, seed=3))
    assert set(holed) < set(whole)


@pytest.mark.parametrize("loss_pct", [-1.0, 95.0, float("nan")])
def test_an_impossible_loss_is_refused(performance: Performance, loss_pct: float) -> None:
    with pytest.raises(SimulationError, match="loss_pct"):
        transmit(performance, loss_pct=loss_pct)


def test_the_recording_reads_back_as_it_was_sent(performance: Performance, tmp_path: Path) -> None:
    path = tmp_path / "set.arrows"
    write_recording(performance, path, seed=5)
    reader = RecordingReader(path)
    read = [row for batch in reader.batches() for row in to_notifications(batch)]
    assert read == received(transmit(performance, seed=5))
    header = reader.header
    assert (header.origin, header.exercise, header.started_utc) == ("simulation", "bridge", None)
    assert (header.calibration, header.reference) == (performance.calibration, performance.reference)


def test_the_truth_beside_the_recording_knows_what_was_lost(performance: Performance, tmp_path: Path) -> None:
    path = tmp_path / "set.arrows"
    truth = write_recording(performance, path, loss_pct=5.0, seed=5)
    assert read_truth(path) == truth
    assert truth.reps == performance.truth.reps
    assert truth.lost == transmit(performance, loss_pct=5.0, seed=5).lost


def test_the_same_seed_gives_the_same_bytes(performance: Performance, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_recording(performance, tmp_path / f"{name}.arrows", loss_pct=2.0, seed=1)
    assert (tmp_path / "a.arrows").read_bytes() == (tmp_path / "b.arrows").read_bytes()
    assert (tmp_path / "a.truth.json").read_bytes() == (tmp_path / "b.truth.json").read_bytes()


@pytest.mark.parametrize("existing", ["set.arrows", "set.truth.json"])
def test_an_existing_file_is_not_replaced_and_nothing_else_is_written(
    performance: Performance, tmp_path: Path, existing: str
) -> None:
    (tmp_path / existing).write_bytes(b"mine")
    with pytest.raises(EmgmonError, match="exists"):
        write_recording(performance, tmp_path / "set.arrows")
    assert [path.name for path in tmp_path.iterdir()] == [existing]
    assert (tmp_path / existing).read_bytes() == b"mine"
