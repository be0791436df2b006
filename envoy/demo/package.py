"""Writes the parts of the demo's content that ffmpeg does not: packed audio, segmented WebVTT, the two multivariant
playlists and the MPD. Called by make-content.sh."""

import argparse
import itertools
import re
from pathlib import Path

# What the encoder was told to make; check_codec() holds it against the init sections.
RENDITIONS = (("v360", "640x360", "avc1.4d401e"), ("v180", "320x180", "avc1.4d400d"))
AUDIO_CODEC = "mp4a.40.2"
SAMPLES_PER_FRAME = 1024
SAMPLE_RATE = 48_000


def adts_frames(data: bytes) -> list[bytes]:
    """Splits a raw ADTS stream at its frame headers."""
    frames, at = [], 0
    while at < len(data):
        if data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:
            raise SystemExit(f"no ADTS sync word at byte {at}")
        length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        frames.append(data[at : at + length])
        at += length
    return frames


def id3_timestamp(pts: int) -> bytes:
    """The ID3 tag that packed audio must start with (RFC 8216, 3.4): a 33-bit MPEG-TS time stamp."""
    body = b"com.apple.streaming.transportStreamTimestamp\0" + (pts & (1 << 33) - 1).to_bytes(8, "big")
    frame = b"PRIV" + synchsafe(len(body)) + b"\0\0" + body
    return b"ID3\x04\0\0" + synchsafe(len(frame)) + frame


def synchsafe(n: int) -> bytes:
    """ID3's way of writing a length: seven bits to the byte."""
    return bytes(n >> shift & 0x7F for shift in (21, 14, 7, 0))


def media_playlist(entries: list[tuple[str, float]], target: int) -> str:
    """A VOD playlist of plain segments."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:6", f"#EXT-X-TARGETDURATION:{target}", "#EXT-X-MEDIA-SEQUENCE:0",
             "#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for name, duration in entries:
        lines += [f"#EXTINF:{duration:.6f},", name]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def packed_audio(adts: Path, folder: Path, ts_start: int, segment: int) -> None:
    """Cuts the ADTS stream at the frame nearest to each segment's start."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = adts_frames(adts.read_bytes())
    # The encoder's first frame is priming: it belongs before the first picture.
    first = ts_start - SAMPLES_PER_FRAME * 90_000 // SAMPLE_RATE
    entries, begin = [], 0
    while begin < len(frames):
        number = len(entries)
        end = min(-(-(number + 1) * segment * SAMPLE_RATE // SAMPLES_PER_FRAME), len(frames))
        if len(frames) - end < 10:  # no segment of a few stray frames at the end
            end = len(frames)
        pts = first + begin * SAMPLES_PER_FRAME * 90_000 // SAMPLE_RATE
        name = f"seg{number}.aac"
        (folder / name).write_bytes(id3_timestamp(pts) + b"".join(frames[begin:end]))
        entries.append((name, (end - begin) * SAMPLES_PER_FRAME / SAMPLE_RATE))
        begin = end
    (folder / "index.m3u8").write_text(media_playlist(entries, segment))


def clock(seconds: int) -> str:
    """WebVTT's way of writing a time."""
    return f"00:{seconds // 60:02}:{seconds % 60:02}.000"


def subtitles(folder: Path, mpegts: int, seconds: int, segment: int) -> None:
    """One cue a second that says the time in words."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for begin in range(0, seconds, segment):
        cues = [f"{clock(s)} --> {clock(s + 1)}\nsecond {s}" for s in range(begin, begin + segment)]
        head = f"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{mpegts},LOCAL:00:00:00.000"
        name = f"seg{begin // segment}.vtt"
        (folder / name).write_text("\n\n".join([head, *cues]) + "\n")
        entries.append((name, float(segment)))
    (folder / "index.m3u8").write_text(media_playlist(entries, segment))


def segments(folder: Path) -> list[tuple[str, float]]:
    """A media playlist's segments: name and duration in seconds."""
    pairs = re.findall(r"#EXTINF:([\d.]+),.*\n(.+)", (folder / "index.m3u8").read_text())
    return [(name, float(duration)) for duration, name in pairs]


def rates(folder: Path) -> tuple[int, int]:
    """Peak and average bits per second of a media playlist's segments."""
    bits = [(8 * (folder / name).stat().st_size, duration) for name, duration in segments(folder)]
    return max(round(b / d) for b, d in bits), round(sum(b for b, _ in bits) / sum(d for _, d in bits))


def check_codec(init: bytes, codec: str) -> None:
    """Holds the CODECS string against the avcC box."""
    at = init.index(b"avcC") + 5
    if codec != "avc1." + init[at : at + 3].hex():
        raise SystemExit(f"the encoder made avc1.{init[at:at + 3].hex()}, not {codec}")


def master_playlist(folder: Path) -> None:
    """Both renditions, one audio group, one subtitle group."""
    audio_peak, audio_average = rates(folder / "audio")
    lines = [
        "#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-INDEPENDENT-SEGMENTS", "",
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="Beeps",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,'
        'CHANNELS="1",URI="audio/index.m3u8"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="vtt",NAME="Seconds",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,'
        'FORCED=NO,URI="subtitles/index.m3u8"', "",
    ]
    for name, resolution, codec in RENDITIONS:
        peak, average = rates(folder / name)
        lines += [
            f"#EXT-X-STREAM-INF:BANDWIDTH={peak + audio_peak},AVERAGE-BANDWIDTH={average + audio_average},"
            f'CODECS="{codec},{AUDIO_CODEC}",RESOLUTION={resolution},FRAME-RATE=25.000,AUDIO="aac",SUBTITLES="vtt"',
            f"{name}/index.m3u8",
        ]
    (folder / "master.m3u8").write_text("\n".join([*lines, ""]))


def template(folder: Path, timescale: int, init: str = "") -> list[str]:
    """The SegmentTemplate of a folder's segments, whose names differ in their number."""
    names = segments(folder)
    suffix = names[0][0].partition(".")[2]
    durations = [round(duration * timescale) for _, duration in names]
    lines = [f'      <SegmentTemplate timescale="{timescale}"{init}'
             f' media="$RepresentationID$/seg$Number$.{suffix}" startNumber="0">',
             "        <SegmentTimeline>"]
    for duration, run in itertools.groupby(durations):
        repeated = len(list(run)) - 1
        lines.append(f'          <S d="{duration}"' + (f' r="{repeated}"' if repeated else "") + "/>")
    return [*lines, "        </SegmentTimeline>", "      </SegmentTemplate>"]


def presentation_description(folder: Path, seconds: int) -> None:
    """The MPD of the files that the multivariant playlist leads to: the same renditions, audio and subtitles."""
    init = ' initialization="$RepresentationID$/init.mp4"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="static"'
        f' mediaPresentationDuration="PT{seconds}S" minBufferTime="PT4S">',
        "  <Period>",
        '    <AdaptationSet contentType="video" mimeType="video/mp4" frameRate="25" segmentAlignment="true"'
        ' startWithSAP="1">',
        *template(folder / RENDITIONS[0][0], 25, init),
    ]
    for name, resolution, codec in RENDITIONS:
        width, height = resolution.split("x")
        lines.append(f'      <Representation id="{name}" codecs="{codec}" width="{width}" height="{height}"'
                     f' bandwidth="{rates(folder / name)[0]}"/>')
    lines += [
        "    </AdaptationSet>",
        '    <AdaptationSet contentType="audio" mimeType="audio/mp4" lang="en" segmentAlignment="true"'
        ' startWithSAP="1">',
        *template(folder / "audio", SAMPLE_RATE, init),
        f'      <Representation id="audio" codecs="{AUDIO_CODEC}" audioSamplingRate="{SAMPLE_RATE}"'
        f' bandwidth="{rates(folder / "audio")[0]}"/>',
        "    </AdaptationSet>",
        '    <AdaptationSet contentType="text" mimeType="text/vtt" lang="en">',
        *template(folder / "subtitles", 1),
        f'      <Representation id="subtitles" bandwidth="{rates(folder / "subtitles")[0]}"/>',
        "    </AdaptationSet>", "  </Period>", "</MPD>",
    ]
    (folder / "manifest.mpd").write_text("\n".join([*lines, ""]))


def main() -> None:
    """Reads the command line and writes everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--adts", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--ts-start", type=int, required=True, help="first video time stamp of the MPEG-TS, 90 kHz")
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--segment", type=int, required=True)
    args = parser.parse_args()
    for name, _, codec in RENDITIONS:
        check_codec((args.out / "cmaf" / name / "init.mp4").read_bytes(), codec)
    packed_audio(args.adts, args.out / "ts" / "audio", args.ts_start, args.segment)
    for variant, mpegts in (("ts", args.ts_start), ("cmaf", 0)):
        subtitles(args.out / variant / "subtitles", mpegts, args.seconds, args.segment)
        master_playlist(args.out / variant)
    presentation_description(args.out / "cmaf", args.seconds)


main()
