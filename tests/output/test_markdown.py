import pytest

from beatgrid.output.markdown import markdown_table


def test_a_table_of_texts_numbers_and_nothing():
    rows = [("a", 1, None), ("b", 2.5, "")]
    assert markdown_table(("", "n", "note"), rows) == [
        "| | n | note |",
        "|---|---|---|",
        "| a | 1 | |",
        "| b | 2.5 | |",
    ]


def test_a_table_without_rows_is_its_header():
    assert markdown_table(("a",), []) == ["| a |", "|---|"]


def test_no_cell_breaks_the_table():
    assert markdown_table(("name",), [("a|b\nc",)])[2] == "| a\\|b c |"


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="a row of 1 cells under 2 columns"):
        markdown_table(("a", "b"), [("only",)])
