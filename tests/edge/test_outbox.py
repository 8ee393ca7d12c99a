from edge.outbox import Outbox


def test_what_was_never_sent_is_due():
    assert Outbox(30, 3600).due(["a", "b"], now=0) == ["a", "b"]


def test_what_was_sent_is_due_again_after_the_timeout_and_then_later_each_time():
    outbox = Outbox(30, 3600)
    assert outbox.sent("a", now=0) == 1
    assert outbox.due(["a"], now=29) == []
    assert outbox.due(["a"], now=30) == ["a"]
    assert outbox.sent("a", now=30) == 2
    assert outbox.due(["a"], now=89) == []
    assert outbox.due(["a"], now=90) == ["a"]


def test_the_wait_never_passes_its_limit():
    outbox = Outbox(1, 10)
    for _ in range(50):
        outbox.sent("a", now=0)
    assert outbox.due(["a"], now=10) == ["a"]


def test_retry_makes_everything_due():
    outbox = Outbox(30, 3600)
    outbox.sent("a", now=0)
    outbox.send_all_again()
    assert outbox.due(["a"], now=1) == ["a"]


def test_what_left_the_spool_is_forgotten():
    outbox = Outbox(30, 3600)
    outbox.sent("a", now=0)
    outbox.due([], now=1)
    assert outbox.due(["a"], now=2) == ["a"]
