"""Drafts on disk: every edit at once, undo and redo after any end of the program."""

import pytest

from beatgrid.grid import Grid
from beatgrid.review.journal import Journal, drafts
from beatgrid.review.reviewed_grid import ReviewedGrid, Stretch


def of(bpm):
    return ReviewedGrid(30.0, (Stretch(0.0, Grid(bpm, 0.5)),))


@pytest.fixture
def reopened(tmp_path):
    """Open the journal as another start of the program does."""

    def reopen(on_disk=100.0):
        return Journal(tmp_path, "t", of(on_disk))

    return reopen


def edit_to(journal, *tempi):
    for bpm in tempi:
        journal.edit({"op": "bpm", "bpm": bpm}, of(bpm))


def test_opening_writes_nothing(reopened, tmp_path):
    journal = reopened()
    assert (journal.revision, journal.can_undo, journal.can_redo, journal.is_draft) == (0,) + (
        False,
    ) * 3
    journal.undo()
    journal.redo()
    journal.mark_saved()
    assert list(tmp_path.iterdir()) == []


def test_edits_outlive_the_program_and_so_do_undo_and_redo(reopened, tmp_path):
    edit_to(reopened(), *range(101, 141))
    assert drafts(tmp_path) == {"t"}
    for bpm in range(139, 99, -1):
        journal = reopened()
        journal.undo()
        assert journal.grid == of(bpm)
    assert not reopened().can_undo
    assert drafts(tmp_path) == set()  # all is undone: nothing is unsaved
    for bpm in range(101, 141):
        journal = reopened()
        journal.redo()
        assert journal.grid == of(bpm)
    assert not reopened().can_redo
    assert reopened().revision == 1 + 40 + 40 + 40


def test_an_edit_after_undo_forgets_what_was_undone(reopened):
    journal = reopened()
    edit_to(journal, 101, 102)
    journal.undo()
    edit_to(journal, 103)
    assert not journal.can_redo
    journal = reopened()
    journal.undo()
    assert journal.grid == of(101)


def test_saved_is_no_draft_but_can_be_undone(reopened, tmp_path):
    journal = reopened()
    edit_to(journal, 101)
    journal.mark_saved()
    assert drafts(tmp_path) == set()
    journal = reopened(101.0)
    assert not journal.is_draft
    journal.undo()
    assert (journal.grid, journal.is_draft) == (of(100), True)
    assert drafts(tmp_path) == {"t"}


def test_what_another_program_wrote_is_one_more_edit(reopened):
    edit_to(reopened(), 101, 102)
    journal = reopened(150.0)
    assert journal.grid == of(150)
    journal.undo()
    assert journal.grid == of(102)


@pytest.mark.parametrize(
    "rest", [b'{"do": "edit", "gr', b"\xff\xfe", b'{"do": "edit"}', b"[1]", b"7"]
)
def test_a_line_cut_short_is_passed_over(rest, reopened, tmp_path):
    edit_to(reopened(), 101)
    path = tmp_path / "t.draft.jsonl"
    path.write_bytes(path.read_bytes() + rest)
    journal = reopened()
    assert journal.grid == of(101)
    edit_to(journal, 102)
    assert reopened().grid == of(102)


def test_drafts_of_no_folder(tmp_path):
    assert drafts(tmp_path / "none") == set()
