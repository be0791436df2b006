"""A rendition of the demo as one file with byte ranges."""

from pathlib import Path


def single_file(site, kind, ranges=True, below=""):
    """The 360p rendition as one file with a byte-range playlist, every other offset left to be counted on. Returns
    the playlist's path and the parts in order, the init section first where there is one."""
    source = Path(site.root) / kind / "v360"
    folder, parts, lines, counted = f"{below}/one-{kind}-{ranges}", [], [], False
    for line in (source / "index.m3u8").read_text().splitlines():
        offset = sum(map(len, parts))
        if line.startswith("#EXT-X-MAP"):
            parts.append((source / "init.mp4").read_bytes())
            line = f'#EXT-X-MAP:URI="all.bin",BYTERANGE="{len(parts[-1])}@0"'
        elif line and not line.startswith("#"):
            parts.append((source / line).read_bytes())
            lines.append(f"#EXT-X-BYTERANGE:{len(parts[-1])}" + ("" if counted else f"@{offset}"))
            counted, line = not counted, "all.bin"
        lines.append(line)
    extension = "mp4" if kind == "cmaf" else "ts"
    site.put(f"{folder}/all.{extension}", b"".join(parts), ranges=ranges)
    text = "\n".join([*lines, ""]).replace("all.bin", f"all.{extension}")
    return site.put(f"{folder}/index.m3u8", text), parts
