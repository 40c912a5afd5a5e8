from tests.hand_labels import NOW, ListStore, label_of, review_rows
from training.data.review_rows import ReviewRow
from training.labelling.session import Session


def session_of(store: ListStore, rows: list[ReviewRow], earlier: list[str] | None = None) -> Session:
    labels = [label_of(identifier, "positive") for identifier in earlier or []]
    return Session(rows, labels, store, "ann", "random", lambda: NOW)


def current_id(session: Session) -> str | None:
    return session.current.id if session.current else None


def test_every_answer_is_stored_before_the_next_review() -> None:
    store = ListStore()
    session = session_of(store, review_rows(2))
    session.answer("positive")
    assert [(event, label.id, label.label) for event, label in store.events] == [("append", "0", "positive")]
    assert current_id(session) == "1"
    session.answer("skipped")
    assert session.current is None
    assert session.answer("mixed") is None
    assert len(store.events) == 2


def test_a_label_has_its_author_time_order_and_source() -> None:
    store = ListStore()
    session_of(store, [ReviewRow("a", "Good.", verdict="negative", score=0.1, release="r-1")]).answer("positive")
    label = store.events[0][1]
    assert (label.labeller, label.labelled_at, label.order) == ("ann", "2026-01-02T03:04:05+00:00", "random")
    assert (label.verdict, label.score, label.release, label.variant) == ("negative", 0.1, "r-1", None)


def test_labelled_reviews_are_not_shown_again() -> None:
    session = session_of(ListStore(), review_rows(3), earlier=["0", "1"])
    assert current_id(session) == "2"
    assert session.progress.done == 2
    assert session.progress.counts["positive"] == 2


def test_undo_returns_to_the_review_with_its_note() -> None:
    store = ListStore()
    session = session_of(store, review_rows(2))
    session.set_note(" ironic ")
    session.answer("positive")
    undone = session.undo()
    assert undone
    assert (undone.label, undone.note) == ("positive", "ironic")
    assert [event for event, _ in store.events] == ["append", "undo"]
    assert current_id(session) == "0"
    assert session.note == "ironic"
    assert session.progress.done == 0


def test_undo_goes_back_several_times_but_not_beyond_the_session() -> None:
    session = session_of(ListStore(), review_rows(4), earlier=["0"])
    session.answer("positive")
    session.answer("negative")
    assert [label.label for label in (session.undo(), session.undo()) if label] == ["negative", "positive"]
    assert session.undo() is None
    assert current_id(session) == "1"
