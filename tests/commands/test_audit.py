"""``audit.py`` on click tracks whose labels are broken on purpose."""

import csv
import json
import shutil

import jsonschema
import pytest

from beatgrid.audit import correction
from beatgrid.data.labels import load_label, write_label
from beatgrid.evaluation import evaluate_track
from beatgrid.grid import Grid
from beatgrid.output.index import ResultIndex
from tests.conftest import CLICK_GRIDS, ROOT, LabelledFolder

FAULTS = {
    "click_a": Grid(120.0, 0.31 + 0.030),
    "click_b": Grid(97.3, 0.05 + 0.5 * 60 / 97.3),
    "click_c": Grid(143.2, 0.2),
}


@pytest.fixture
def broken(click_folder, tmp_path):
    """The click tracks, three labels wrong and one no label at all."""
    folder = tmp_path / "set"
    shutil.copytree(click_folder.path, folder, ignore=shutil.ignore_patterns("cache"))
    for name, grid in FAULTS.items():
        path = folder / "labels" / f"{name}.labels.json"
        duration_s = load_label(path).duration_s
        write_label(path, grid, duration_s, f"{name}.wav", title=name, mine=[1])
    (folder / "labels" / "no.labels.json").write_text('{"bpm": "fast"}')
    return LabelledFolder(folder)


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return {
            line["label"].rpartition("/")[2].split(".")[0]: line for line in csv.DictReader(file)
        }


def test_faults_are_found_listed_written_and_corrected_elsewhere(
    broken, run_script, tmp_path, monkeypatch
):
    # Twelve seconds of clicks are less certain than a song.
    monkeypatch.setattr(correction, "MIN_CONFIDENCE", 0.7)
    before = {path: path.read_bytes() for path in (broken.path / "labels").iterdir()}
    done = run_script("audit.py", "out=out", "fix=true", "num_workers=0", *broken.overrides)
    assert done.status == 1  # one label cannot be read
    assert 'bpm is "fast"' in done.err
    assert {path: path.read_bytes() for path in (broken.path / "labels").iterdir()} == before

    rows = rows_of(tmp_path / "out" / "audit.csv")
    kinds = {name: row["verdict"] for name, row in rows.items()}
    assert kinds == {
        **{"no": "unreadable", "click_a": "offset", "click_b": "off-beat"},
        **{"click_c": "bpm", "click_d": "ok"},
    }
    assert float(rows["click_a"]["offset_ms"]) == pytest.approx(-30, abs=4)
    # 10 ms over 14 s of bare clicks, which the network never heard
    assert float(rows["click_c"]["better_bpm"]) == pytest.approx(143.7, abs=0.1)
    content = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert content["verdicts"]["offset"] == 1
    assert max(map(len, done.out.splitlines()[:8])) <= 80

    fixed = sorted((tmp_path / "out" / "labels").iterdir())
    assert [path.name for path in fixed] == ["click_a.labels.json"]
    for path in fixed:
        label, name = load_label(path), path.name.split(".")[0]
        assert evaluate_track(CLICK_GRIDS[name], label.grid, label.duration_s).grid_ok_10
        assert label.extra["title"] == name
        assert label.extra["mine"] == [1]
        assert label.extra["corrected"]["from"]["downbeatOffset"] == FAULTS[name].offset_s


def test_suspects_are_results_with_the_label_among_the_alternatives(broken, run_script, tmp_path):
    run_script("audit.py", "activation=flux", "out=out", "num_workers=0", *broken.overrides)
    suspects = tmp_path / "out" / "suspects"
    with ResultIndex(suspects) as index:
        records = list(index.records())
    names = {record.audio.rpartition("/")[2] for record in records}
    assert names == {"click_a.wav", "click_b.wav", "click_c.wav"}
    result = json.loads((suspects / "click_c.wav.beatgrid.json").read_text())
    schema = ROOT / "beatgrid" / "output" / "result.schema.json"
    jsonschema.Draft202012Validator(json.loads(schema.read_text())).validate(result)
    assert result["alternatives"][0]["bpm"] == 143.2
    assert result["settings"]["audit"] == "bpm"


def test_copies_never_go_among_the_labels(broken, run_script):
    (broken.path / "labels" / "no.labels.json").unlink()
    (broken.path / "out").mkdir()
    (broken.path / "out" / "labels").symlink_to(broken.path / "labels")
    done = run_script(
        "audit.py", "fix=true", "activation=flux", f"out={broken.path}/out", *broken.overrides
    )
    assert done.status == 1
    assert "need another folder" in done.err


def test_audio_that_cannot_be_read_is_a_verdict_and_the_others_have_theirs(
    broken, run_script, tmp_path
):
    (broken.path / "labels" / "no.labels.json").unlink()
    (broken.path / "audio" / "click_d.wav").write_bytes(b"RIFF")
    done = run_script("audit.py", "activation=flux", "out=out", "num_workers=0", *broken.overrides)
    assert done.status == 1
    kinds = {n: r["verdict"] for n, r in rows_of(tmp_path / "out" / "audit.csv").items()}
    assert kinds["click_d"] == "unreadable"
    assert kinds["click_a"] == "offset"


def test_workers_give_the_same_verdicts(broken, run_script, tmp_path):
    for n, out in ((0, "one"), (2, "two")):
        run_script(
            "audit.py", "activation=flux", f"out={out}", f"num_workers={n}", *broken.overrides
        )
    one, two = (rows_of(tmp_path / out / "audit.csv") for out in ("one", "two"))
    assert one == two
