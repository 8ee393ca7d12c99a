import json

import pytest
from botocore.exceptions import ClientError

from cloud.setup import SetupError, open_client, set_up
from cloud.stores import keys
from wire.registry import MODELS


def fresh(store, **changes):
    """The same store, another bucket."""
    return store.model_copy(update={"bucket": store.bucket + "-fresh"} | changes)


@pytest.fixture
def client(store):
    opened = open_client(store)
    yield opened
    opened.close()


def test_set_up_makes_the_bucket_and_says_what_lies_where(store, client):
    said = []
    set_up(fresh(store), said.append)
    assert said[0] == f"bucket {store.bucket}-fresh created"
    body = client.get_object(Bucket=f"{store.bucket}-fresh", Key=keys.LAYOUT)["Body"].read()
    prefixes = {keys.FRAMES, keys.RESULTS, keys.SLIDES, keys.SLIDES_DUE, keys.DEAD_LETTERS, MODELS}
    prefixes |= {keys.REVIEWS, keys.WITNESSES, keys.REPORTS_DUE, keys.FHIR_LETTERS}
    assert set(json.loads(body)["prefixes"]) == prefixes


def test_setting_up_twice_is_harmless_and_keeps_what_is_there(store, client):
    settings = fresh(store)
    set_up(settings, lambda _: None)
    client.put_object(Bucket=settings.bucket, Key="results/a/b/c.json", Body=b"{}")
    said = []
    set_up(settings, said.append)
    assert said[0] == f"bucket {settings.bucket} is there"
    stored = client.get_object(Bucket=settings.bucket, Key="results/a/b/c.json")
    assert stored["Body"].read() == b"{}"


def test_the_lifecycle_reads_back_as_it_was_set_or_is_said_to_be_unsupported(store, client):
    said = []
    settings = fresh(store, dead_letter_days=7, frame_days=30)
    set_up(settings, said.append)
    if any("no lifecycle rules" in sentence for sentence in said):
        with pytest.raises(ClientError):
            client.get_bucket_lifecycle_configuration(Bucket=settings.bucket)
        return
    rules = client.get_bucket_lifecycle_configuration(Bucket=settings.bucket)["Rules"]
    days = {rule["Filter"]["Prefix"]: rule["Expiration"]["Days"] for rule in rules}
    assert days == {keys.DEAD_LETTERS: 7, keys.FRAMES: 30}
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    assert "dead-letters/ expires after 7 days; frames/ expires after 30 days" in said


def test_images_never_expire_unless_somebody_says_so(store, client):
    set_up(fresh(store), lambda _: None)
    rules = client.get_bucket_lifecycle_configuration(Bucket=f"{store.bucket}-fresh")["Rules"]
    assert [rule["Filter"]["Prefix"] for rule in rules] == [keys.DEAD_LETTERS]


def test_what_the_store_cannot_do_about_public_access_is_said(store):
    said = []
    set_up(fresh(store), said.append)
    assert any("public access" in sentence for sentence in said)


def test_an_unreachable_store_is_a_sentence(store):
    with pytest.raises(SetupError, match=r"cannot be reached: .*127\.0\.0\.1:9"):
        set_up(fresh(store, endpoint="http://127.0.0.1:9"), lambda _: None)


def test_a_wrong_secret_is_a_sentence(store):
    settings = store.model_validate(store.model_dump() | {"secret_access_key": "no" * 20})
    with pytest.raises(SetupError, match=r"refused to create bucket .*SignatureDoesNotMatch"):
        set_up(settings, lambda _: None)


def test_a_bucket_name_that_no_store_takes_is_a_sentence(store):
    with pytest.raises(SetupError, match="BAD BUCKET"):
        set_up(fresh(store, bucket="BAD BUCKET"), lambda _: None)
