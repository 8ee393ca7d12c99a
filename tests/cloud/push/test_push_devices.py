"""Which devices are told."""

import pytest
from push_service import PushService

from cloud.push.devices import MOST_PER_ACCOUNT, Devices
from cloud.push.endpoints import PushRefused
from cloud.push.keys import public_part

pytestmark = pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)

EVERY_S = 600.0


@pytest.fixture
def devices(database, key):
    return Devices(database, public_part(key))


def browser(name):
    return PushService(port=443).browser(name)


def add(devices, name, account="ada", session="s-1"):
    made = browser(name)
    devices.add(account, session, made.subscription)
    return made


def due(devices, now):
    devices.want(now, EVERY_S)
    return sorted((d.account, d.endpoint[-1]) for d in devices.take(now, 60, 100))


def test_the_same_device_is_kept_once_and_belongs_to_whoever_asked_last(devices):
    first = add(devices, "a")
    devices.add("ada", "s-1", first.subscription)
    devices.add("grace", "s-9", first.subscription)
    assert due(devices, 1000.0) == [("grace", "a")]
    assert not devices.holds("ada", "s-1", first.endpoint)
    assert devices.holds("grace", "s-9", first.endpoint)


def test_signing_out_ends_it_for_the_devices_of_that_session_alone(devices):
    for name, session in (("a", "s-1"), ("b", "s-2"), ("c", "s-2")):
        add(devices, name, session=session)
    assert devices.drop_session("s-2") == 2
    assert due(devices, 1000.0) == [("ada", "a")]


def test_a_device_follows_its_reader_into_the_next_session(devices):
    made = add(devices, "a", session="yesterday")
    assert devices.holds("ada", "today", made.endpoint)
    assert devices.drop_session("yesterday") == 0
    assert devices.drop_session("today") == 1


def test_nobody_ends_it_for_somebody_elses_device(devices):
    made = add(devices, "a")
    assert not devices.drop("grace", made.endpoint)
    assert devices.drop_all("grace") == 0
    assert not devices.holds("grace", "s-9", made.endpoint)
    assert devices.drop("ada", made.endpoint)
    assert due(devices, 1000.0) == []


def test_a_disabled_account_is_told_nothing_and_its_devices_are_forgotten(devices, accounts):
    add(devices, "a")
    add(devices, "b", "grace")
    accounts.disable("ada")
    assert due(devices, 1000.0) == [("grace", "b")]
    accounts.enable("ada")
    assert devices.want(2000.0, EVERY_S) == 0  # grace's is being told; ada's is forgotten


def test_who_is_disabled_between_the_wish_and_the_sending_is_not_told(devices, accounts):
    add(devices, "a")
    assert devices.want(1000.0, EVERY_S) == 1
    accounts.disable("ada")
    assert devices.next_due() is None
    assert devices.take(1000.0, 60, 100) == []


def test_whoever_keeps_accounts_opens_no_slide_and_is_told_of_none(devices, accounts):
    add(devices, "a")
    accounts.change_role("ada", "admin")
    assert due(devices, 1000.0) == []


def test_there_is_a_bound_and_its_refusal_says_what_to_do(devices):
    for number in range(MOST_PER_ACCOUNT):
        add(devices, f"device-{number}")
    with pytest.raises(PushRefused, match="Stop it on one of them") as refused:
        add(devices, "one-more")
    assert refused.value.code == "push-devices-full"
    add(devices, "of-another", "grace")
    add(devices, "device-3")  # a device that is there already is no further one
    assert devices.drop_all("ada") == MOST_PER_ACCOUNT
    add(devices, "one-more")


def test_two_programs_never_take_the_same_device(database, key):
    here, there = Devices(database, public_part(key)), Devices(database, public_part(key))
    add(here, "a")
    here.want(1000.0, EVERY_S)
    (taken,) = here.take(1000.0, 60, 100)
    assert there.take(1000.0, 60, 100) == []
    assert [device.id for device in there.take(1061.0, 60, 100)] == [taken.id]  # the first was cut


def test_what_is_due_outlives_a_restart(database, key):
    add(Devices(database, public_part(key)), "a")
    Devices(database, public_part(key)).want(1000.0, EVERY_S)
    assert len(Devices(database, public_part(key)).take(1000.0, 60, 100)) == 1


def test_with_another_key_the_devices_of_the_old_one_are_forgotten(database, key):
    add(Devices(database, public_part(key)), "a")
    assert Devices(database, "another").want(1000.0, EVERY_S) == 0


def test_a_thing_is_said_once_also_after_a_restart_and_by_two_programs(database, key):
    here, there = Devices(database, public_part(key)), Devices(database, public_part(key))
    assert here.first_time("home", "s1", "urgent")
    assert not there.first_time("home", "s1", "urgent")
    assert there.first_time("away", "s1", "urgent")
    assert here.first_time("home", "s1", "second-reader", 4)
    assert not here.first_time("home", "s1", "second-reader", 4)
    assert here.first_time("home", "s1", "second-reader", 9)


def test_the_database_holds_no_session_that_could_be_used(devices, database):
    add(devices, "a", session="a-session-id")
    with database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM push_devices").all()
    assert len(rows) == 1
    assert "a-session-id" not in str(rows)
