#!/bin/sh
# Goal: every shader that MoltenVK is given is valid SPIR-V, can be translated
# to Metal's language, and asks for nothing but what docs/GPU.md lists.
#
# Method: what MoltenVK is given is what the backend takes on a device that says
# it is only a part of Vulkan: all operations are run on one (fake_loader.c, in
# front of the real device), and the modules that reach the driver are held
# against those that the build left. Integer dot products (*_dot) must not be
# among them, since spirv-cross cannot translate them. Then spirv-val and
# spirv-cross go over all other modules, given or not: which are given depends
# on the device's other features.
. "$(dirname "$0")/../tap.sh"
: "${SPIRV_FOLDER:?where the built shaders are}"
: "${VULKAN_OPS:?the program that runs every operation}"
: "${FAKE_LOADER:?the loader that says the device is a part of Vulkan}"
for tool in spirv-cross spirv-val spirv-dis; do
    if ! command -v "$tool" >/dev/null; then
        skip "shaders for Metal" "no $tool here"
        finish
        exit
    fi
done
check "there are shaders" test -f "$SPIRV_FOLDER/sample.spv"

# given FAULT LIST: the names of the shaders that all operations take.
given() {
    mkdir "$2.modules"
    FAKE_VULKAN=$1 FAKE_VULKAN_MODULES=$work/$2.modules \
        MOSHI_VULKAN_LIBRARY=$FAKE_LOADER "$VULKAN_OPS" >"$2.log" 2>&1
    status=$?
    [ $status -eq 77 ] && return
    check "all operations run ($2)" test $status -eq 0
    for module in "$2.modules"/*.spv; do
        name=unknown
        for built in "$SPIRV_FOLDER"/*.spv; do
            cmp -s "$module" "$built" && name=$(basename "$built" .spv)
        done
        echo "$name"
    done | sort -u >"$2"
    check "each shader is one of those built ($2)" sh -c "! grep unknown $2"
}

given plain whole
if [ ! -s whole ]; then
    skip "the shaders that MoltenVK is given" "no Vulkan device here"
else
    # Without this the rule below could not be seen to be broken.
    if grep -q '_dot$' whole; then
        check "a whole device is given dot products" grep '_dot$' whole
        given portability part
        check "a part of Vulkan is not" sh -c "! grep '_dot$' part"
        # The same, but for that: each variant's fallback and nothing else.
        sed 's/_dot$//' whole | sort -u >fallbacks
        check "but everything else, and what stands for them" \
            diff fallbacks part
    else
        skip "dot products on a part of Vulkan" "none on the whole device"
    fi
fi

for module in "$SPIRV_FOLDER"/*.spv; do
    name=$(basename "$module" .spv)
    check "$name is valid" spirv-val --target-env vulkan1.1 "$module"
    case $name in
    *_dot) continue ;;
    esac
    # MoltenVK hands over buffers one by one or, later, in argument buffers.
    check "$name in Metal's language" spirv-cross --msl --msl-version 20200 \
        --msl-decoration-binding "$module"
    check "$name in Metal's language, argument buffers" spirv-cross --msl \
        --msl-version 20200 --msl-argument-buffers "$module"
    # What MoltenVK lacks, or what would need an extension (docs/GPU.md).
    allowed='Shader|GroupNonUniform|GroupNonUniformArithmetic'
    case $name in
    *_q6_k_narrow*)
        allowed="$allowed|StorageBuffer16BitAccess|StorageBuffer8BitAccess" ;;
    *_narrow*) allowed="$allowed|StorageBuffer16BitAccess" ;;
    esac
    spirv-dis "$module" | sed -n 's/^ *OpCapability //p' >asked
    check "$name asks for no more than is allowed" \
        sh -c "grep -q . asked && ! grep -vxE '$allowed' asked"
done
finish
