import io
import tracemalloc

import pytest

from crm.kit.errors import Invalid
from crm.lists.imports.reading import MAX_COLUMNS, Sheet

pytestmark = pytest.mark.once


def sheet(content):
    return Sheet(io.BytesIO(content if isinstance(content, bytes) else content.encode()))


def rows(content):
    return [tuple(row) for row in sheet(content).rows()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_is_read_as_it_was_written(encoding, delimiter):
    text = delimiter.join(("Name", "City")) + "\n" + delimiter.join(("Jürgen Böhm", "Málaga")) + "\n"
    assert sheet(text.encode(encoding)).header == ["Name", "City"]
    assert rows(text.encode(encoding)) == [(2, ["Jürgen Böhm", "Málaga"], "")]


def test_lines_are_counted_as_they_stand_in_the_file():
    content = 'a,b\r1,2\n\n"x\ny",3\r\n4,5'
    assert rows(content) == [(2, ["1", "2"], ""), (4, ["x\ny", "3"], ""), (6, ["4", "5"], "")]


def test_a_header_cell_may_hold_the_other_separators():
    assert sheet('"Name, full";City;Zip\n').header == ["Name, full", "City", "Zip"]


@pytest.mark.parametrize(
    "broken, why",
    [
        (b"1", "This row has 1 column. The header has 2."),
        (b"1,2,3", "This row has 3 columns. The header has 2."),
        (b"1,a\0b", "The row contains NUL characters. Remove them."),
        (b"1,\xff\xfe", "The row contains bytes that aren’t valid characters."),
        (b"1,\xed\xa0\x80", "The row contains bytes that aren’t valid characters."),
        (b"1," + b"x" * 200_000, "A cell can have up to 131,072 characters."),
        (b"1," + b"x" * (1 << 20), "The line is longer than 1,000,000 characters."),
        (b'1,"' + b"x" * (1 << 20) + b'"', "The line is longer than 1,000,000 characters."),
    ],
)
def test_a_broken_row_is_named_and_the_others_are_read(broken, why):
    content = "a,b\nä,ö\nü,ß\n".encode() + broken + b"\n5,6\n"
    good = [row[:2] for row in rows(content) if not row[2]]
    assert good == [(2, ["ä", "ö"]), (3, ["ü", "ß"]), (5, ["5", "6"])]
    assert [(line, problem) for line, _, problem in rows(content) if problem] == [(4, why)]


def test_a_giant_cell_of_many_lines_takes_only_its_own_row_along():
    content = 'a,b\n1,"' + "x\n" * 100_000 + '"\n5,6\n'
    found = rows(content)
    assert [row[0] for row in found] == [2, 100_003]
    assert found[1][1] == ["5", "6"]


@pytest.mark.parametrize(
    "content, why",
    [
        (b"", "The file is empty."),
        (b"\n\n", "The file is empty."),
        (b"PK\x03\x04....", "looks like an Excel or ZIP file"),
        (b",".join(b"column" for _ in range(10_000)) + b"\n", f"10,000 columns. The limit is {MAX_COLUMNS}"),
        (b",".join(b"same" for _ in range(50_000)) + b"\n", f"50,000 columns. The limit is {MAX_COLUMNS}"),
        ("Name\nA".encode("utf-16")[:-1], "ends in the middle of a character"),
        (b"na\0me,b\n", "The header row can’t be read."),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_with_a_sentence(content, why):
    with pytest.raises(Invalid, match=why.replace(".", r"\.")):
        list(sheet(content).rows())


def test_one_endless_line_takes_no_memory(tmp_path):
    path = tmp_path / "endless.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n")
        for _ in range(64):
            file.write(b"x," * (1 << 19))  # 64 MB in all
        file.write(b"\n1,2\n")
    tracemalloc.start()
    with path.open("rb") as file:
        found = [tuple(row) for row in Sheet(file).rows()]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [(2, [], "The line is longer than 1,000,000 characters."), (3, ["1", "2"], "")]
    assert peak < 20_000_000


def good_and_named(content):
    """Return the cells of valid rows by line, and the problems by line."""
    found = sheet(content).rows()
    good, problems = {}, {}
    for line, cells, problem in found:
        (problems if problem else good)[line] = problem or cells
    return good, problems


DONT_MATCH = (
    "The quotation marks in {} don’t match. Put the whole cell in quotation marks and double each one inside it."
)


@pytest.mark.parametrize(
    "body, good, problems",
    [
        pytest.param(
            'Ann,"called\nBen,fine\nCem,"asked for ""a quote"""\nDov,ok\n',
            {3: ["Ben", "fine"], 4: ["Cem", 'asked for "a quote"'], 5: ["Dov", "ok"]},
            {2: "line 2"},
            id="stray quote at the start of a cell",
        ),
        pytest.param(
            'Ann,"called\nBen,fine\n', {3: ["Ben", "fine"]}, {2: "line 2"}, id="stray quote, no other in the file"
        ),
        pytest.param('Ann,5" pipe\nBen,ok\n', {3: ["Ben", "ok"]}, {2: "line 2"}, id="inches"),
        pytest.param(
            '"Bob \\"Bee\\" Nine",a\nBen,ok\n', {3: ["Ben", "ok"]}, {2: "line 2"}, id="backslashes for quotes"
        ),
        pytest.param(
            'Ann,"two\nlines" more\nthe rest\nBen,ok\n',
            {5: ["Ben", "ok"]},
            {2: "lines 2–4"},
            id="text after the closing quote",
        ),
        pytest.param('Ann, "a, b" ,\n', {}, {2: ""}, id="surplus cell"),
        pytest.param('Ann, "a, b" \n', {2: ["Ann", "a, b"]}, {}, id="spaces around quotes"),
        pytest.param('Ann,"a\r\nb"\r\nBen,""\r\n', {2: ["Ann", "a\r\nb"], 4: ["Ben", ""]}, {}, id="Windows line ends"),
        pytest.param(",\n , \n\nBen,ok\n", {5: ["Ben", "ok"]}, {}, id="blank rows"),
        pytest.param("'Ann',it's\n", {2: ["'Ann'", "it's"]}, {}, id="apostrophes quote nothing"),
    ],
)
def test_a_broken_row_takes_no_other_along(body, good, problems):
    read, named = good_and_named("Name,Notes\n" + body)
    assert read == good
    assert named.keys() == problems.keys()
    assert all(named[line] == DONT_MATCH.format(where) for line, where in problems.items() if where)


def test_rows_between_two_stray_quotes_are_no_line_breaks_in_a_cell():
    good, named = good_and_named('Name,Email,Notes\nAnn,a@x,"called\nBen,b@x,fine\nEve,e@x,call me"\nDov,d@x,ok\n')
    assert (good.keys(), named) == ({3, 5}, {2: DONT_MATCH.format("line 2"), 4: DONT_MATCH.format("line 4")})


@pytest.mark.parametrize("declaration", ["sep=;", '"sep=;"', "SEP=;\r"])
def test_a_declared_separator_is_no_header(declaration):
    content = declaration + "\nName;City, country\nAna;Málaga, ES\n"
    assert sheet(content).header == ["Name", "City, country"]
    assert rows(content) == [(3, ["Ana", "Málaga, ES"], "")]


def test_a_bar_separates_too_and_blank_rows_are_counted():
    found = sheet("Name|City, country|Zip\nAna|Málaga|1\n||\n\n | |\n")
    assert [row.cells for row in found.rows()] == [["Ana", "Málaga", "1"]]
    assert found.blank == 2
