"""Every cause between this program and a sensor is told apart, in a sentence that says what to do."""

from dataclasses import replace

import pytest

from emgmon.errors import SensorError
from emgmon.sensors.ble import NOT_HEARD_ADVICE, FoundSensor
from emgmon.sensors.bluez import Adapter, BluezFacts, BusState, DaemonState
from emgmon.sensors.doctor import OLDEST_BLUEZ, judge_air, judge_computer
from emgmon.sensors.findings import (
    FAR_DBM,
    NEAR_DBM,
    Facts,
    Finding,
    Heard,
    KernelFacts,
    RadioSwitch,
    State,
    Step,
    Surroundings,
    is_ready,
    shown_name,
    signal_words,
)
from tests.architecture.test_words_are_kind import JUDGING
from tests.end_to_end.program import ROOT

HCI0 = Adapter("hci0", "00:11:22:33:44:55", is_powered=True, modalias="usb:v1D6Bp0246d0558")
OFF = replace(HCI0, is_powered=False)
SOFT = RadioSwitch("hci0", is_soft_blocked=True, is_hard_blocked=False)
HARD = RadioSwitch("asus-bluetooth", is_soft_blocked=False, is_hard_blocked=True)
PHONE_AND_LAMP = 2

LINUX = Facts(
    system="Linux",
    release="6.12",
    python="3.13.1",
    bleak="3.1.0",
    emgmon="1.0",
    kernel=KernelFacts(adapters=("hci0",), is_daemon_installed=True, tool_version=(5, 88)),
    bluez=BluezFacts(BusState.REACHED, DaemonState.RUNNING, adapters=(HCI0,)),
    bus_address="unix:path=/run/bus",
)
MAC = replace(LINUX, system="Darwin", release="24.1", kernel=None, bluez=None, bus_address="")
NEAR = FoundSensor("emgmon-BEEF", "C0:00:00:00:BE:EF", -48, None)
FAR = FoundSensor("emgmon-CAFE", "C0:00:00:00:CA:FE", -91, None)


def with_kernel(**changed):
    return replace(LINUX, kernel=replace(LINUX.kernel, **changed))


def with_bluez(facts=LINUX, **changed):
    return replace(facts, bluez=replace(facts.bluez, **changed))


def without_bus(state, detail="", facts=LINUX):
    return replace(facts, bluez=BluezFacts(state, detail=detail))


def without_daemon(state, detail="", facts=LINUX):
    return replace(facts, bluez=BluezFacts(BusState.REACHED, state, detail))


def at(step, facts):
    (found,) = [finding for finding in judge_computer(facts) if finding.step is step]
    return found


def air(facts, heard):
    return judge_air(judge_computer(facts), facts, heard)


NO_HARDWARE = with_bluez(with_kernel(adapters=()), adapters=())

FAULTS = {
    "an unknown system": (replace(MAC, system="Plan9"), Step.SYSTEM, "Plan9"),
    "no adapter": (NO_HARDWARE, Step.HARDWARE, "no Bluetooth adapter"),
    "a soft block": (
        with_bluez(with_kernel(switches=(SOFT,)), adapters=(OFF,)),
        Step.RFKILL,
        "keeps hci0 off (rfkill: soft blocked)",
    ),
    "a hard block": (
        with_bluez(with_kernel(switches=(HARD,)), adapters=(OFF,)),
        Step.RFKILL,
        "keeps asus-bluetooth off (rfkill: hard blocked)",
    ),
    "a block that only BlueZ knows of": (
        with_bluez(adapters=(replace(OFF, is_blocked=True),)),
        Step.RFKILL,
        "keeps hci0 off (rfkill: soft blocked)",
    ),
    "no library": (without_bus(BusState.NO_LIBRARY, "No module"), Step.BUS, "dbus-fast"),
    "no socket": (without_bus(BusState.NO_SOCKET), Step.BUS, "there is nothing at unix:path=/run/bus"),
    "a dead socket": (without_bus(BusState.NOBODY_LISTENS), Step.BUS, "nobody listens at unix:path=/run/bus"),
    "a bus that refuses": (without_bus(BusState.DENIED, "no entry"), Step.BUS, "let this user in (no entry)"),
    "a bus that is silent": (without_bus(BusState.SILENT), Step.BUS, "does not answer"),
    "a bus that breaks": (without_bus(BusState.BROKEN, "odd"), Step.BUS, "cannot be used"),
    "no BlueZ": (
        without_daemon(DaemonState.NOT_OFFERED, facts=with_kernel(is_daemon_installed=False)),
        Step.DAEMON,
        "bluetoothd is not installed.",
    ),
    "a stopped bluetoothd": (
        without_daemon(DaemonState.NOT_STARTED, "exited"),
        Step.DAEMON,
        "bluetoothd is installed but does not run (exited).",
    ),
    "a forbidden bluetoothd": (without_daemon(DaemonState.DENIED, "policy"), Step.DAEMON, "(policy)"),
    "a silent bluetoothd": (without_daemon(DaemonState.SILENT), Step.DAEMON, "does not answer"),
    "a broken bluetoothd": (without_daemon(DaemonState.BROKEN, "odd"), Step.DAEMON, "an error (odd)"),
    "an old BlueZ": (with_kernel(tool_version=(5, 50)), Step.VERSION, "BlueZ 5.50 is too old"),
    "an adapter that BlueZ does not know": (with_bluez(adapters=()), Step.ADAPTER, "does not know hci0"),
    "an adapter that is off": (with_bluez(adapters=(OFF,)), Step.ADAPTER, "is switched off (hci0 00:11"),
    "an adapter without Low Energy": (
        with_bluez(adapters=(replace(HCI0, is_central=False),)),
        Step.ADAPTER,
        "cannot connect to Low Energy sensors",
    ),
}


def test_a_sound_computer_has_nothing_to_say_but_ok():
    findings = judge_computer(LINUX)
    assert [finding.state for finding in findings] == [State.OK] * 8
    assert [finding.advice for finding in findings] == [""] * 8
    assert is_ready(findings)


def test_the_steps_are_always_all_there_and_in_order():
    for facts, _, _ in FAULTS.values():
        steps = [finding.step for finding in (*judge_computer(facts), *air(facts, Heard(5)))]
        assert steps == [step for step in Step if step in steps]
        if facts.kernel is not None:
            assert steps == list(Step)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_at_its_step_with_advice(fault):
    facts, step, words = FAULTS[fault]
    finding = at(step, facts)
    assert finding.state is State.FAIL
    assert words in finding.sentence
    assert finding.sentence.endswith(".")
    assert finding.advice
    assert not is_ready(judge_computer(facts))


@pytest.mark.parametrize("fault", FAULTS)
def test_before_the_step_that_fails_nothing_fails(fault):
    facts, step, _ = FAULTS[fault]
    failed = [finding.step for finding in judge_computer(facts) if finding.state is State.FAIL]
    assert failed[0] is step


def test_no_two_faults_are_told_in_the_same_words():
    told = [(finding.sentence, step) for facts, step, _ in FAULTS.values() for finding in [at(step, facts)]]
    blocks = [sentence for sentence, step in told if step is Step.RFKILL]
    assert len(set(told)) == len(told) - 1, "only the two views of one soft block agree"
    assert len(set(blocks)) == 2


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_looked_at_says_why(fault):
    facts, _, _ = FAULTS[fault]
    for finding in (*judge_computer(facts), *air(facts, None)):
        if finding.state is State.SKIPPED:
            assert finding.sentence.startswith("Not looked at, because ")
    assert air(facts, None)[-1].state is State.SKIPPED


def test_without_a_bus_all_that_hangs_on_it_is_skipped_and_the_rest_is_not():
    states = {finding.step: finding.state for finding in judge_computer(without_bus(BusState.NO_SOCKET))}
    assert states[Step.HARDWARE] is State.OK
    assert states[Step.RFKILL] is State.OK
    assert states[Step.DAEMON] is State.SKIPPED
    assert states[Step.ADAPTER] is State.SKIPPED
    # bluetoothctl tells its version without a bus.
    assert states[Step.VERSION] is State.OK


def test_without_bluetoothctl_and_bluetoothd_there_is_no_version_to_look_at():
    facts = without_bus(BusState.NO_SOCKET, facts=with_kernel(tool_version=None))
    assert at(Step.VERSION, facts).state is State.SKIPPED


def test_a_version_that_nobody_tells_is_a_doubt_and_no_obstacle():
    facts = with_bluez(with_kernel(tool_version=None), adapters=(replace(HCI0, modalias=""),))
    assert at(Step.VERSION, facts).state is State.WARN
    assert is_ready(judge_computer(facts))


@pytest.mark.parametrize(
    ("version", "state"), [((5, 54), State.FAIL), (OLDEST_BLUEZ, State.OK), ((6, 0), State.OK)]
)
def test_bluez_is_too_old_below_the_version_that_bleak_connects_through(version, state):
    facts = with_bluez(with_kernel(tool_version=version), adapters=(replace(HCI0, modalias=""),))
    assert at(Step.VERSION, facts).state is state


def test_an_old_bluetoothd_is_found_behind_a_new_bluetoothctl():
    facts = with_bluez(adapters=(replace(HCI0, modalias="usb:v1D6Bp0246d0535"),))
    assert at(Step.VERSION, facts).state is State.FAIL
    assert "BlueZ 5.53" in at(Step.VERSION, facts).sentence


def test_two_versions_that_both_will_do_are_both_named():
    facts = with_bluez(adapters=(replace(HCI0, modalias="usb:v1D6Bp0246d0542"),))
    finding = at(Step.VERSION, facts)
    assert (finding.state, "5.66" in finding.sentence, "5.88" in finding.sentence) == (State.OK, True, True)


def test_an_installed_bluetoothd_that_no_bus_offers_is_to_be_started_not_installed():
    assert "does not run" in at(Step.DAEMON, without_daemon(DaemonState.NOT_OFFERED)).sentence


def test_a_bluetoothd_that_waits_for_an_adapter_sends_to_the_hardware():
    finding = at(Step.DAEMON, without_daemon(DaemonState.NOT_STARTED, facts=with_kernel(adapters=())))
    assert "only once there is an adapter" in finding.advice


def test_adapters_that_only_bluez_sees_are_hardware_enough():
    assert at(Step.HARDWARE, with_kernel(adapters=())).state is State.OK


def test_one_of_two_adapters_is_enough():
    both = with_bluez(adapters=(OFF, replace(HCI0, name="hci1")))
    assert at(Step.ADAPTER, both).sentence == "hci1 00:11:22:33:44:55 is on and can connect to sensors."


def test_a_block_beside_an_adapter_that_works_is_no_obstacle():
    facts = with_kernel(switches=(SOFT,))
    assert at(Step.RFKILL, facts).state is State.WARN
    assert is_ready(judge_computer(facts))


def test_an_adapter_that_is_blocked_is_unblocked_before_it_is_switched_on():
    facts = with_bluez(with_kernel(switches=(SOFT,)), adapters=(OFF,))
    assert "First what rfkill says" in at(Step.ADAPTER, facts).advice
    assert "rfkill" not in at(Step.ADAPTER, with_bluez(adapters=(OFF,))).advice


def test_an_adapter_whose_roles_are_not_told_is_not_doubted():
    assert at(Step.ADAPTER, with_bluez(adapters=(replace(HCI0, is_central=None),))).state is State.OK


@pytest.mark.parametrize(
    ("surroundings", "step", "words"),
    [
        (Surroundings.WSL, Step.HARDWARE, "Windows itself"),
        (Surroundings.VIRTUAL_MACHINE, Step.HARDWARE, "through to the virtual machine"),
        (Surroundings.CONTAINER, Step.BUS, "-v /run/dbus:/run/dbus:ro"),
        (Surroundings.CONTAINER, Step.DAEMON, "on the host"),
    ],
)
def test_advice_fits_what_the_system_runs_in(surroundings, step, words):
    bare = replace(NO_HARDWARE, kernel=KernelFacts())
    broken = without_daemon(DaemonState.NOT_OFFERED, facts=bare)
    if step is Step.BUS:
        broken = without_bus(BusState.NO_SOCKET, facts=bare)
    assert words not in at(step, broken).advice
    assert words in at(step, replace(broken, surroundings=(surroundings,))).advice


def test_a_user_whom_a_containers_bus_refuses_has_another_number_outside():
    refused = without_bus(BusState.DENIED)
    assert "BLEAK_DBUS_AUTH_UID" not in at(Step.BUS, refused).advice
    inside = replace(refused, surroundings=(Surroundings.CONTAINER,))
    assert "BLEAK_DBUS_AUTH_UID" in at(Step.BUS, inside).advice


def test_surroundings_are_a_hint_only_while_something_fails():
    nested = (Surroundings.CONTAINER, Surroundings.VIRTUAL_MACHINE)
    fine = at(Step.SURROUNDINGS, replace(LINUX, surroundings=nested))
    assert fine == Finding(Step.SURROUNDINGS, State.OK, "This is a container in a virtual machine.")
    assert at(Step.SURROUNDINGS, replace(NO_HARDWARE, surroundings=nested)).state is State.WARN
    assert at(Step.SURROUNDINGS, NO_HARDWARE).state is State.OK


def test_sensors_are_listed_with_address_and_strength():
    (finding,) = air(LINUX, Heard(5, (NEAR, FAR), 0))
    assert finding == Finding(
        Step.SENSORS,
        State.OK,
        "2 sensors were heard: emgmon-BEEF at C0:00:00:00:BE:EF (-48 dBm, near); "
        "emgmon-CAFE at C0:00:00:00:CA:FE (-91 dBm, far).",
    )


def test_a_sensor_that_is_only_heard_from_far_is_to_come_closer():
    (finding,) = air(LINUX, Heard(5, (FAR,), 0))
    assert finding.state is State.WARN
    assert "closer" in finding.advice


def test_a_strength_that_was_not_measured_is_not_far():
    (finding,) = air(LINUX, Heard(5, (replace(FAR, rssi_dbm=-127),), 0))
    assert finding.state is State.OK
    assert "strength not measured" in finding.sentence


@pytest.mark.parametrize(
    ("n_others", "sentence"),
    [
        (None, "No sensor was heard within 5 s."),
        (0, "Nothing at all was heard within 5 s, neither a sensor nor anything else."),
        (1, "1 other device was heard within 5 s, but no sensor."),
        (PHONE_AND_LAMP, "2 other devices were heard within 5 s, but no sensor."),
    ],
)
def test_silence_is_told_from_others_that_advertise_and_stops_nobody(n_others, sentence):
    (finding,) = air(LINUX, Heard(5, (), n_others))
    assert (finding.state, finding.sentence) == (State.WARN, sentence)
    assert finding.advice.startswith(NOT_HEARD_ADVICE)
    assert is_ready((*judge_computer(LINUX), finding))


def test_only_a_bluez_that_may_hang_is_to_be_switched_off_and_on():
    hangs = with_bluez(adapters=(replace(HCI0, modalias="usb:v1D6Bp0246d0557"),))
    assert "power off" in air(hangs, Heard(5, (), 0))[0].advice
    assert "power off" not in air(LINUX, Heard(5, (), 0))[0].advice


def test_a_sensor_that_is_connected_elsewhere_on_this_computer_is_named():
    facts = with_bluez(connected=("emgmon-BEEF (C0:00:00:00:BE:EF)",))
    (finding,) = air(facts, Heard(5, (), PHONE_AND_LAMP))
    assert finding.state is State.WARN
    assert "emgmon-BEEF (C0:00:00:00:BE:EF) is connected to this computer already" in finding.sentence


def test_on_linux_a_radio_that_refuses_to_listen_is_told_where_sensors_are_looked_for():
    (finding,) = air(LINUX, SensorError("the radio is odd (busy)", advice="Wait."))
    assert finding == Finding(Step.SENSORS, State.FAIL, "The radio is odd (busy).", "Wait.")


def test_elsewhere_the_system_itself_says_why_there_is_no_bluetooth():
    (system,) = judge_computer(MAC)
    assert system.sentence == "macOS 24.1, Python 3.13.1, bleak 3.1.0, emgmon 1.0."
    adapter, sensors = air(MAC, SensorError("Bluetooth is switched off", advice="Switch it on."))
    assert adapter == Finding(Step.ADAPTER, State.FAIL, "Bluetooth is switched off.", "Switch it on.")
    assert sensors.state is State.SKIPPED


def test_elsewhere_listening_shows_that_bluetooth_works():
    adapter, sensors = air(MAC, Heard(5, (NEAR,)))
    assert (adapter.state, sensors.state) == (State.OK, State.OK)
    assert air(MAC, Heard(5))[1].sentence == "No sensor was heard within 5 s."


def test_what_is_not_looked_at_names_the_first_obstacle():
    (finding,) = air(without_bus(BusState.NO_SOCKET), None)
    assert finding == Finding(Step.SENSORS, State.SKIPPED, "Not looked at, because D-Bus stands in the way.")


@pytest.mark.parametrize(
    ("rssi_dbm", "words"),
    [
        (NEAR_DBM, "-60 dBm, near"),
        (NEAR_DBM - 1, "-61 dBm, in reach"),
        (FAR_DBM, "-80 dBm, in reach"),
        (FAR_DBM - 1, "-81 dBm, far"),
        (-127, "strength not measured"),
        (127, "strength not measured"),
    ],
)
def test_strength_is_said_in_words(rssi_dbm, words):
    assert signal_words(rssi_dbm) == words


@pytest.mark.parametrize(
    ("name", "shown"),
    [("emgmon-1", "emgmon-1"), ("", "(no name)"), ("\x1b[2Jgone\n", "[2Jgone"), (" \x07", "(no name)")],
)
def test_names_from_the_air_cannot_touch_the_terminal(name, shown):
    assert shown_name(replace(NEAR, name=name)) == shown


def test_all_words_are_kind():
    said = [
        text
        for facts, _, _ in FAULTS.values()
        for finding in (*judge_computer(facts), *air(facts, Heard(5, (), 0)))
        for text in (finding.sentence, finding.advice)
    ]
    assert [text for text in said if JUDGING.search(text)] == []


def test_the_page_on_bluetooth_explains_every_step_and_the_oldest_bluez():
    page = (ROOT / "docs" / "bluetooth.md").read_text(encoding="utf-8")
    assert [step for step in Step if f"| `{step}` |" not in page] == []
    assert f"BlueZ {OLDEST_BLUEZ[0]}.{OLDEST_BLUEZ[1]}" in page
    assert f"{NEAR_DBM} dBm" in page.replace("−", "-")
    assert f"{FAR_DBM} dBm" in page.replace("−", "-")
