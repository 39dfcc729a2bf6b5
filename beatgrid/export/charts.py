"""Charts of rhythm games, begun: timing of StepMania and of osu!, without notes."""

from __future__ import annotations

from beatgrid.export.options import ExportOptions
from beatgrid.export.track import ExportTrack
from beatgrid.output.result import displayable

# Effects of an osu! timing point: no bar line is drawn at it.
_OMIT_BAR_LINE = 8


def render_stepmania(track: ExportTrack, options: ExportOptions) -> bytes:
    """Return a ``.sm`` file with the timing and an empty chart, to be opened in the editor.

    Beat 0 is the bar line at or before the first beat, so that it may lie before the music; its
    time is ``-OFFSET``. Tempi and offset have six decimals, which drift by microseconds.
    Measures of four beats are all that the format has.
    """
    first = track.spans[0]
    skipped = first.first_bar_position - 1
    offset_s = first.first_beat_s - skipped * first.period_s
    bpms, beat = [f"0.000000={first.bpm:.6f}"], skipped + first.n_beats
    for span in track.spans[1:]:
        bpms.append(f"{beat:.6f}={span.bpm:.6f}")
        beat += span.n_beats
    tags = {
        "TITLE": _msd(track.name),
        "ARTIST": "",
        "CREDIT": "",
        "MUSIC": _msd(track.audio.name),
        "OFFSET": f"{-offset_s:.6f}",
        "SAMPLESTART": "0.000000",
        "SAMPLELENGTH": "12.000000",
        "SELECTABLE": "YES",
        "BPMS": "\n,".join(bpms),
        "STOPS": "",
    }
    head = "".join(f"#{key}:{value};\n" for key, value in tags.items())
    chart = "\n     ".join(("dance-single:", ":", "Beginner:", "1:", "0,0,0,0,0:"))
    return f"{head}\n#NOTES:\n     {chart}\n0000\n0000\n0000\n0000\n;\n".encode()


def render_osu(track: ExportTrack, options: ExportOptions) -> bytes:
    """Return a minimal ``.osu`` file (version 14) with its timing points.

    A point begins a bar and its time is a whole millisecond: 0.5 ms off at most, which does not
    add up, since the length of a beat has all digits. A tempo that begins within a bar has a
    point there, without a bar line, and one at its first downbeat.
    """
    lines = []
    for i, span in enumerate(track.spans):
        to_downbeat = -(span.first_bar_position - 1) % track.beats_per_bar
        downbeat_s = span.first_beat_s + to_downbeat * span.period_s
        # The first point holds for what precedes it as well.
        if to_downbeat and i:
            lines.append(_timing_point(span.first_beat_s, span.period_s, track, _OMIT_BAR_LINE))
        if not to_downbeat or to_downbeat < span.n_beats or not i:
            lines.append(_timing_point(downbeat_s, span.period_s, track))
    return "\r\n".join(
        [
            "osu file format v14",
            "",
            "[General]",
            f"AudioFilename: {_line(track.audio.name)}",
            "AudioLeadIn: 0",
            "PreviewTime: -1",
            "Countdown: 0",
            "SampleSet: Normal",
            "StackLeniency: 0.7",
            "Mode: 0",
            "",
            "[Metadata]",
            f"Title:{_line(track.name)}",
            f"TitleUnicode:{_line(track.name)}",
            "Artist:",
            "ArtistUnicode:",
            "Creator:",
            "Version:timing",
            "Source:",
            "Tags:",
            "BeatmapID:0",
            "BeatmapSetID:-1",
            "",
            "[Difficulty]",
            "HPDrainRate:5",
            "CircleSize:5",
            "OverallDifficulty:5",
            "ApproachRate:5",
            "SliderMultiplier:1.4",
            "SliderTickRate:1",
            "",
            "[TimingPoints]",
            *lines,
            "",
            "[HitObjects]",
            "",
        ]
    ).encode()


def _timing_point(time_s: float, period_s: float, track: ExportTrack, effects: int = 0) -> str:
    return (
        f"{round(1000 * time_s)},{1000 * period_s:.12g},{track.beats_per_bar},1,0,100,1,{effects}"
    )


def _msd(text: str) -> str:
    """Return text as a value of a ``.sm`` file, whose signs of syntax are escaped."""
    return "".join(f"\\{c}" if c in "\\:;#" else c for c in _line(text))


def _line(text: str) -> str:
    return " ".join(displayable(text).splitlines())
