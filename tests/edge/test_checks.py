"""What the agent looks after beside its frames, and how it is told."""

from datetime import UTC, datetime, timedelta

import trustme
from structlog.testing import capture_logs

from edge.checks import Checks
from edge.clock import ClockCheck
from edge.trouble import Trouble, Troubles
from wire.messages import Receipt

CAPTURE = "018f4e7a-0000-7000-8000-000000000001"


def test_a_clock_that_a_receipt_contradicts_is_a_trouble_until_one_agrees():
    troubles, wrong = Troubles(), [timedelta(days=800)]
    checks = Checks(None, troubles, ClockCheck(lambda: datetime.now(UTC) + wrong[0]))
    checks.sent(CAPTURE)
    checks.receipted(Receipt(capture_id=CAPTURE, outcome="stored", at=datetime.now(UTC)))
    assert "2 years ahead" in checks.clock_problem
    assert [trouble.code for trouble in troubles.all()] == ["clock-wrong"]
    wrong[0] = timedelta()
    checks.sent(CAPTURE)
    checks.receipted(Receipt(capture_id=CAPTURE, outcome="stored", at=datetime.now(UTC)))
    assert checks.clock_problem == str(troubles) == ""


def test_an_expiring_certificate_that_expires_changes_its_trouble_and_a_new_one_ends_it(tmp_path):
    file, troubles, now = tmp_path / "scope.pem", Troubles(), datetime.now(UTC)

    def issue(**ends):
        made = trustme.CA().issue_cert(
            "scope-1", not_before=now - timedelta(days=90), not_after=now + timedelta(**ends)
        )
        made.cert_chain_pems[0].write_to_path(str(file))
        checks._due = 0.0
        checks.look()
        return [trouble.code for trouble in troubles.all()]

    checks = Checks(file, troubles)
    assert issue(days=3) == ["certificate-expiring"]
    assert issue(seconds=-5) == ["certificate-expired"]
    assert "expired" in checks.certificate_problem
    assert issue(days=300) == []
    assert checks.certificate_problem == ""


def test_a_trouble_is_logged_once_with_its_cause_and_told_without_it():
    troubles = Troubles()
    with capture_logs() as logs:
        for _ in range(3):
            troubles.note("disk-silent", "the disk is away", "/home/somebody", remedy="plug it in")
        troubles.over("disk-silent")
        troubles.over("disk-silent")
    assert [log["event"] for log in logs] == ["trouble", "trouble_over"]
    assert logs[0]["cause"] == "/home/somebody"


def test_troubles_are_told_in_the_order_they_came_each_with_its_remedy():
    troubles = Troubles()
    troubles.note("one", "first", remedy="do this")
    troubles.note("two", "second", "a cause")
    troubles.note("one", "first still")
    assert troubles.all() == (Trouble("one", "first still", ""), Trouble("two", "second", ""))
    assert str(troubles) == "first still; second"
