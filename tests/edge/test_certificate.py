"""The end of the station's certificate is told before it comes."""

from datetime import UTC, datetime, timedelta

import pytest
import trustme

from edge.certificate import certificate_trouble

ENDS = datetime(2027, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A client's certificate that ends then."""
    file = tmp_path_factory.mktemp("papers") / "KANARIENVOGEL.pem"
    made = trustme.CA().issue_cert("scope-1", not_before=ENDS - timedelta(days=365), not_after=ENDS)
    made.cert_chain_pems[0].write_to_path(str(file))
    return file


@pytest.mark.parametrize(
    ("days_before", "code", "said"),
    [
        (15, None, ""),
        (13, "certificate-expiring", "expires on 2027-03-01, in 13 days"),
        (0.5, "certificate-expiring", "in 1 day."),
        (0, "certificate-expired", "expired on 2027-03-01"),
        (-400, "certificate-expired", "by its clock today is 2028-04-04"),
        (1000, "certificate-early", "begins on 2026-03-01"),
    ],
)
def test_what_is_said_when(certificate, days_before, code, said):
    trouble = certificate_trouble(certificate, ENDS - timedelta(days=days_before))
    assert (trouble and trouble.code) == code
    if trouble:
        assert said in trouble.sentence
        assert "Captures go on" in trouble.remedy


def test_a_station_without_a_certificate_has_none_that_could_end():
    assert certificate_trouble(None, ENDS) is None


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_one_that_cannot_be_read_is_told_without_its_file(tmp_path, content):
    file = tmp_path / "KANARIENVOGEL.pem"
    if content is not None:
        file.write_bytes(content)
    trouble = certificate_trouble(file, ENDS)
    assert trouble.code == "certificate-unreadable"
    assert "KANARIENVOGEL" not in trouble.sentence + trouble.remedy
