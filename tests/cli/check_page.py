"""A page of moshi analyze --html: well formed, self-contained; usage: PAGE."""
import base64
import html.parser
import re
import struct
import sys
import zlib

text = open(sys.argv[1], encoding="utf-8").read()
VOID = {"meta"}


class Balance(html.parser.HTMLParser):
    open_tags = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open_tags.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open_tags.pop() == tag, (tag, self.getpos())


parser = Balance()
parser.feed(text)
assert not parser.open_tags, parser.open_tags
assert not re.search(r"https?:|<script|url\(", text)
assert "neighbouring frames are exchanged" in text
assert text.count("stroke=\"var(--bad)\"") > 10
picture = re.search(r"data:image/png;base64,([A-Za-z0-9+/=]+)", text)
if picture:  # a build without Fourier transforms has none
    png = base64.b64decode(picture.group(1))
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, data, names = 8, b"", []
    while at < len(png):
        n, name = struct.unpack_from(">I4s", png, at)
        body = png[at + 8:at + 8 + n]
        crc, = struct.unpack_from(">I", png, at + 8 + n)
        assert zlib.crc32(name + body) == crc, name
        names.append(name)
        if name == b"IHDR":
            width, height = struct.unpack_from(">II", body)
        if name == b"IDAT":
            data += body
        at += 12 + n
    assert names == [b"IHDR", b"PLTE", b"IDAT", b"IEND"], names
    assert len(zlib.decompress(data)) == (width + 1) * height
