"""Compile the shaders of a list to SPIR-V and make them part of the program:
a C file with a table of them (src/vulkan/shaders.h).

    python3 tools/make-shaders.py GLSLANG LIST OUT.c FOLDER [NAME=DEFINE...]

The modules are also left in FOLDER, one file each, for tools that look at
them. NAME=DEFINE defines something more for one shader: a test's fault.
"""
import concurrent.futures
import os
import subprocess
import sys

TYPES = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_K", "Q5_K", "Q6_K"]


def read_list(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = line.split("#")[0].split()
            if not words:
                continue
            name, source, defines = words[0], words[1], words[2:]
            if "*" not in name:
                yield name, source, defines
                continue
            for kind in TYPES:
                yield (name.replace("*", kind.lower()), source,
                       [kind if d == "*" else d for d in defines])


def compile_one(glslang, folder, out, name, source, defines):
    module = os.path.join(out, name + ".spv")
    command = [glslang, "-V", "--target-env", "vulkan1.1", "--quiet",
               "-I" + folder, *("-D" + d for d in defines), "-o", module,
               os.path.join(folder, source)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{name}: {' '.join(command)}\n{run.stdout}{run.stderr}")
    with open(module, "rb") as file:
        data = file.read()
    return [int.from_bytes(data[i:i + 4], "little")
            for i in range(0, len(data), 4)]


def main(glslang, path, out, modules, *more):
    folder = os.path.dirname(path)
    os.makedirs(modules, exist_ok=True)
    shaders = list(read_list(path))
    for extra in more:
        name, define = extra.split("=", 1)
        assert any(name == s[0] for s in shaders), f"no shader {name}"
        shaders = [(n, s, d + [define] if n == name else d)
                   for n, s, d in shaders]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        words = list(pool.map(
            lambda s: compile_one(glslang, folder, modules, *s), shaders))
    with open(out, "w", encoding="ascii") as c:
        c.write("/* Written by tools/make-shaders.py. */\n"
                '#include "vulkan/shaders.h"\n\n')
        for i, code in enumerate(words):
            c.write(f"static const uint32_t code_{i}[] = {{\n")
            for at in range(0, len(code), 8):
                c.write("    " + ",".join(f"0x{w:x}u" for w in
                                          code[at:at + 8]) + ",\n")
            c.write("};\n\n")
        c.write("const vk_shader vk_shaders[] = {\n")
        for i, (name, _, _) in enumerate(shaders):
            c.write(f'    {{"{name}", code_{i}, sizeof code_{i}}},\n')
        c.write("};\n\nconst size_t vk_shaders_count = "
                "sizeof vk_shaders / sizeof *vk_shaders;\n")


main(*sys.argv[1:])
