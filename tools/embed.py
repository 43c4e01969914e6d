"""Make the files of a folder part of the program: write a C file with a table
of them (src/serve/pages.h).

    python3 tools/embed.py OUT.c FOLDER FILE...
"""
import os
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
}


def rows(data):
    for i in range(0, len(data), 16):
        yield "    " + ",".join(str(b) for b in data[i:i + 16]) + ",\n"


def main(out, folder, *files):
    with open(out, "w", encoding="ascii") as c:
        c.write("/* Written by tools/embed.py. */\n"
                '#include "serve/pages.h"\n\n')
        table = []
        for i, path in enumerate(sorted(files)):
            name = os.path.relpath(path, folder).replace(os.sep, "/")
            kind = TYPES[os.path.splitext(name)[1]]
            with open(path, "rb") as file:
                data = file.read()
            # A byte more, so that an empty file is no empty array.
            c.write(f"static const unsigned char page_{i}[] = {{\n")
            c.writelines(rows(data))
            c.write("    0};\n\n")
            table.append(f'    {{"/{name}", "{kind}", page_{i}, '
                         f"{len(data)}}},\n")
        c.write("const page pages_table[] = {\n")
        c.writelines(table)
        c.write("};\n\nconst size_t pages_count = "
                "sizeof pages_table / sizeof *pages_table;\n")


main(*sys.argv[1:])
