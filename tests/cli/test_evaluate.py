"""``rahnuma evaluate``: what is read, what is written, how it fails. Nothing is trained here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.decide import Decision, Ranking, Verdict
from bot.understanding import Reader
from cli import evaluate, main
from cli.evaluate import COLUMNS, read_texts, row
from cli.failing import NOT_TRAINED, WRONG_USE, Failed
from content.topics import OUT_OF_SCOPE, Topics
from settings import ROOT
from text.danger import DangerLists

TOPICS = Topics.load(ROOT / "content" / "topics.yml")
FILLER = tuple(topic.id for topic in TOPICS)


def file(folder: Path, content: str | bytes) -> Path:
    path = folder / "messages.tsv"
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("text\nsalam\nhello\n", ["salam", "hello"]),
        ("text\nsalam\nhello", ["salam", "hello"]),
        ("\ufefftext\nsalam\n", ["salam"]),
        ("text\r\nsalam\r\nhello\r\n", ["salam", "hello"]),
        ("\ufefftext\r\nسلام\r\n", ["سلام"]),
        ("topic\tscript\tkind\ttext\nx\ty\tz\tsalam\n", ["salam"]),
        ("topic\ttext\tkind\r\nx\tsalam\tz\r\n", ["salam"]),
        ("text\n\n\nsalam\n", ["", "", "salam"]),
        ("text\ttopic\n\tx\n", [""]),
        ("topic\ttext\nx\n", [""]),
        ("topic\ttext\n\n", [""]),
        ("text\n\"quoted, 'so'\n", ["\"quoted, 'so'"]),
        ("text\nan em\u2028broken line\n", ["an em\u2028broken line"]),
        ("text\nsa\x0blam\x1c\x85\n", ["sa\x0blam\x1c\x85"]),
        ("text\nsa\rlam\n", ["sa\rlam"]),
        ("text\n spaces stay \n", [" spaces stay "]),
        ("text\n", []),
        ("text", []),
    ],
)
def test_a_row_for_each_line(tmp_path: Path, content: str, texts: list[str]) -> None:
    assert read_texts(file(tmp_path, content)) == texts


@pytest.mark.parametrize(
    "content",
    ["", "\n", "message\nsalam\n", "TEXT\nsalam\n", "topic,text\nx,salam\n", '"text"\nsalam\n', "salam\ntext\n"],
)
def test_without_a_column_text_it_is_wrong_use(tmp_path: Path, content: str) -> None:
    with pytest.raises(Failed) as failure:
        read_texts(file(tmp_path, content))
    assert failure.value.code == WRONG_USE
    assert "text" in str(failure.value)


@pytest.mark.parametrize("content", ["text\nsalam\n".encode("utf-16"), b"text\n\xff\n"])
def test_a_file_that_is_not_utf8_is_wrong_use(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Failed, match="not UTF-8") as failure:
        read_texts(file(tmp_path, content))
    assert failure.value.code == WRONG_USE


def test_a_file_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.tsv", tmp_path):
        with pytest.raises(Failed) as failure:
            read_texts(path)
        assert failure.value.code == WRONG_USE


# --- rows -----------------------------------------------------------------------------------------


def verdict(*ranking: str, danger: str | None = None, confidence: float = 0.5) -> Verdict:
    return Verdict("ur", ranking, confidence, danger, Decision.ANSWER)


@pytest.mark.parametrize(
    ("ranking", "topics"),
    [
        (("asylum_work", "asylum_start", "hello", "bye"), ("asylum_work", "asylum_start", "hello")),
        ((OUT_OF_SCOPE,), (OUT_OF_SCOPE, FILLER[0], FILLER[1])),
        (("asylum_work",), ("asylum_work", OUT_OF_SCOPE, FILLER[0])),
        ((FILLER[0], OUT_OF_SCOPE), (FILLER[0], OUT_OF_SCOPE, FILLER[1])),
    ],
)
def test_three_distinct_topics_never_empty(ranking: tuple[str, ...], topics: tuple[str, ...]) -> None:
    assert row(verdict(*ranking), FILLER)[1:4] == topics


def test_the_columns_of_the_contract() -> None:
    assert COLUMNS == ("language", "topic", "topic_2", "topic_3", "confidence", "danger", "danger_topic", "decision")
    cells = dict(zip(COLUMNS, row(verdict("mines_found", "a", "b", danger="mines_found", confidence=1 / 3), FILLER)))
    assert cells == {
        "language": "ur",
        "topic": "mines_found",
        "topic_2": "a",
        "topic_3": "b",
        "confidence": "0.3333",
        "danger": "true",
        "danger_topic": "mines_found",
        "decision": "answer",
    }
    assert row(verdict("hello"), FILLER)[5:7] == ("false", "")


# --- the whole verb, with a model that knows two words ----------------------------------------------


class Brain:
    """Stands in for the trained model: the gateway's own reading, and a ranking of our choice."""

    def __init__(self, settings: object) -> None:
        lists = DangerLists([], TOPICS.danger)
        self._reader = Reader(lists=lists, danger_topics=TOPICS.danger, language_model=None)

    def verdict(self, text: str) -> Verdict:
        """The decision for a message."""
        rankings: dict[str, Ranking] = {
            "work": [("asylum_work", 0.9), ("asylum_start", 0.06), (OUT_OF_SCOPE, 0.04)],
            "mine": [("mines_found", 0.8), ("mines_inside", 0.1), ("mines_accident", 0.05)],
        }
        return self._reader.verdict(self._reader.read(text), rankings.get(text, ()))


Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``rahnuma evaluate`` as the shell does; its exit code."""
    monkeypatch.setenv("RAHNUMA_DATA_DIR", str(tmp_path / "var"))

    def call(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["rahnuma", "evaluate", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main.main()
        return int(ended.value.code or 0)

    return call


@pytest.fixture
def two_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "Brain", Brain)


@pytest.mark.usefixtures("two_words")
def test_one_row_per_row_in_the_same_order(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out.tsv"
    assert run(file(tmp_path, "kind\ttext\r\na\twork\r\nb\tmine\r\nc\t\r\n"), "--predictions", out) == 0
    first, second = FILLER[:2]
    assert out.read_bytes().decode("utf-8") == (
        "\t".join(COLUMNS) + "\n"
        "en\tasylum_work\tasylum_start\tout_of_scope\t0.9000\tfalse\t\tanswer\n"
        "en\tmines_found\tmines_inside\tmines_accident\t0.8000\ttrue\tmines_found\tanswer\n"
        f"und\tout_of_scope\t{first}\t{second}\t1.0000\tfalse\t\trefuse\n"
    )


@pytest.mark.usefixtures("two_words")
@pytest.mark.parametrize("text", ["", " ", "🚨", "\u202e\u200b", "!!!", "\x00"])
def test_a_text_without_words_gives_a_row_too(run: Run, tmp_path: Path, text: str) -> None:
    out = tmp_path / "out.tsv"
    assert run(file(tmp_path, f"text\n{text}\n"), "--predictions", out) == 0
    _, only = out.read_text(encoding="utf-8").splitlines()
    cells = dict(zip(COLUMNS, only.split("\t")))
    assert (cells["language"], cells["topic"], cells["decision"]) == ("und", OUT_OF_SCOPE, "refuse")
    assert all(cells[name] for name in COLUMNS if name != "danger_topic")


@pytest.mark.usefixtures("two_words")
def test_a_file_without_rows_gives_a_header(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out.tsv"
    assert run(file(tmp_path, "text\n"), "--predictions", out) == 0
    assert out.read_text(encoding="utf-8") == "\t".join(COLUMNS) + "\n"


@pytest.mark.usefixtures("two_words")
def test_where_nothing_can_be_written_it_is_a_failure_in_one_line(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(file(tmp_path, "text\nwork\n"), "--predictions", tmp_path / "no" / "such" / "out.tsv") == 1
    assert one_line(capsys)


@pytest.mark.parametrize("content", ["message\nsalam\n", "", b"\xff\xfe"])
def test_unreadable_input_is_exit_code_2_in_one_line_and_writes_nothing(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | bytes
) -> None:
    out = tmp_path / "out.tsv"
    assert run(file(tmp_path, content), "--predictions", out) == WRONG_USE
    assert one_line(capsys)
    assert not out.exists()


def test_without_a_place_for_the_predictions_it_is_wrong_use(run: Run, tmp_path: Path) -> None:
    assert run(file(tmp_path, "text\nsalam\n")) == WRONG_USE


def test_before_anything_is_trained_it_is_exit_code_3_in_one_line(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.tsv"
    assert run(file(tmp_path, "text\nsalam\n"), "--predictions", out) == NOT_TRAINED
    assert "rahnuma train" in one_line(capsys)
    assert not out.exists()


def test_a_bad_setting_is_one_line_that_names_it(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RASA_PORT", "http")
    assert run(file(tmp_path, "text\nsalam\n"), "--predictions", tmp_path / "out.tsv") == 1
    assert "RASA_PORT" in one_line(capsys)


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]
